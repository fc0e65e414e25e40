{{/* Traefik reads the options of a backend from annotations of its Service. */}}
{{- define "crosspod.ingress.traefikService" -}}
traefik.ingress.kubernetes.io/service.sticky.cookie: "true"
traefik.ingress.kubernetes.io/service.sticky.cookie.name: {{ .Values.ingress.cookie.name | quote }}
traefik.ingress.kubernetes.io/service.sticky.cookie.maxage: {{ .Values.ingress.cookie.maxAgeSeconds | quote }}
traefik.ingress.kubernetes.io/service.sticky.cookie.httponly: "true"
traefik.ingress.kubernetes.io/service.sticky.cookie.samesite: lax
{{- if .Values.ingress.traefikObjects }}
traefik.ingress.kubernetes.io/service.serverstransport: {{ include "crosspod.ingress.traefikObject" . }}
{{- end }}
{{- end -}}

{{/* The name by which Traefik refers to the chart's Traefik objects. */}}
{{- define "crosspod.ingress.traefikObject" -}}
{{- printf "%s-%s@kubernetescrd" .Release.Namespace (include "crosspod.fullname" .) -}}
{{- end -}}

{{/* Annotations of a preset on the Ingress. The gateway pings WebSockets every HEARTBEAT_SECONDS, so a connection without
     a byte for an hour is dead. A pod on a lost node does not answer but stays an endpoint until Kubernetes notices the
     loss: the connect timeout gives it up after two seconds. */}}
{{- define "crosspod.ingress.annotations" -}}
{{- $cookie := .Values.ingress.cookie -}}
{{- $service := include "crosspod.fullname" . -}}
{{- if eq .Values.ingress.preset "haproxy" -}}
haproxy.org/cookie-persistence: {{ $cookie.name | quote }}
haproxy.org/load-balance: leastconn
haproxy.org/check: "true"
haproxy.org/check-interval: 1s
{{- else if and (eq .Values.ingress.preset "traefik") .Values.ingress.traefikObjects -}}
{{- /* A middleware from the values comes first, and does not replace the chart's. */}}
{{- $given := index (.Values.ingress.annotations | default dict) "traefik.ingress.kubernetes.io/router.middlewares" }}
traefik.ingress.kubernetes.io/router.middlewares: {{ compact (list $given (include "crosspod.ingress.traefikObject" .)) | join "," }}
{{- else if eq .Values.ingress.preset "nginx-f5" -}}
nginx.org/sticky-cookie-services: {{ printf "serviceName=%s %s expires=%ds path=/" $service $cookie.name (int $cookie.maxAgeSeconds) | quote }}
nginx.org/websocket-services: {{ $service }}
nginx.org/lb-method: least_conn
nginx.org/proxy-connect-timeout: 2s
nginx.org/proxy-read-timeout: 3600s
nginx.org/proxy-send-timeout: 3600s
{{- else if eq .Values.ingress.preset "ingress-nginx" -}}
nginx.ingress.kubernetes.io/affinity: cookie
nginx.ingress.kubernetes.io/affinity-mode: balanced
nginx.ingress.kubernetes.io/session-cookie-name: {{ $cookie.name | quote }}
nginx.ingress.kubernetes.io/session-cookie-max-age: {{ $cookie.maxAgeSeconds | quote }}
nginx.ingress.kubernetes.io/session-cookie-change-on-failure: "true"
nginx.ingress.kubernetes.io/session-cookie-samesite: Lax
nginx.ingress.kubernetes.io/proxy-connect-timeout: "2"
nginx.ingress.kubernetes.io/proxy-read-timeout: "3600"
nginx.ingress.kubernetes.io/proxy-send-timeout: "3600"
{{- end -}}
{{- end -}}
