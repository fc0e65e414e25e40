{{/* Traefik takes what concerns a backend from its Service. */}}
{{- define "crosspod.ingress.traefikService" -}}
traefik.ingress.kubernetes.io/service.sticky.cookie: "true"
traefik.ingress.kubernetes.io/service.sticky.cookie.name: {{ .Values.ingress.cookie.name | quote }}
traefik.ingress.kubernetes.io/service.sticky.cookie.maxage: {{ .Values.ingress.cookie.maxAgeSeconds | quote }}
traefik.ingress.kubernetes.io/service.sticky.cookie.httponly: "true"
traefik.ingress.kubernetes.io/service.sticky.cookie.samesite: lax
{{- end -}}

{{/* What a preset says to its controller on the Ingress. WebSockets are pinged every HEARTBEAT_SECONDS, so that an
     hour without a byte means that nobody is there. */}}
{{- define "crosspod.ingress.annotations" -}}
{{- $cookie := .Values.ingress.cookie -}}
{{- $service := include "crosspod.fullname" . -}}
{{- if eq .Values.ingress.preset "haproxy" -}}
haproxy.org/cookie-persistence: {{ $cookie.name | quote }}
haproxy.org/load-balance: leastconn
haproxy.org/check: "true"
{{- else if eq .Values.ingress.preset "nginx-f5" -}}
nginx.org/sticky-cookie-services: {{ printf "serviceName=%s %s expires=%ds path=/" $service $cookie.name (int $cookie.maxAgeSeconds) | quote }}
nginx.org/websocket-services: {{ $service }}
nginx.org/lb-method: least_conn
nginx.org/proxy-read-timeout: 3600s
nginx.org/proxy-send-timeout: 3600s
{{- else if eq .Values.ingress.preset "ingress-nginx" -}}
nginx.ingress.kubernetes.io/affinity: cookie
nginx.ingress.kubernetes.io/affinity-mode: balanced
nginx.ingress.kubernetes.io/session-cookie-name: {{ $cookie.name | quote }}
nginx.ingress.kubernetes.io/session-cookie-max-age: {{ $cookie.maxAgeSeconds | quote }}
nginx.ingress.kubernetes.io/session-cookie-change-on-failure: "true"
nginx.ingress.kubernetes.io/session-cookie-samesite: Lax
nginx.ingress.kubernetes.io/proxy-read-timeout: "3600"
nginx.ingress.kubernetes.io/proxy-send-timeout: "3600"
{{- end -}}
{{- end -}}
