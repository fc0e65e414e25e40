{{/* Path prefixes that a route serves in place of /, as a list. */}}
{{- define "crosspod.publicPaths" -}}
{{- .Values.publicPaths | default (list "/") | toJson -}}
{{- end -}}

{{/* The paths of a host of the Ingress, as a list of {path, pathType}. publicPaths replace /.
     (dict "root" $ "paths" […]) */}}
{{- define "crosspod.ingress.paths" -}}
{{- $paths := list -}}
{{- range $one := .paths -}}
{{- if and (eq $one.path "/") (ne $one.pathType "Exact") -}}
{{- range include "crosspod.publicPaths" $.root | fromJsonArray -}}
{{- $paths = append $paths (dict "path" . "pathType" $one.pathType) -}}
{{- end -}}
{{- else -}}
{{- $paths = append $paths $one -}}
{{- end -}}
{{- end -}}
{{- uniq $paths | toJson -}}
{{- end -}}

{{/* An HTTPRoute: (dict "root" $ "route" .Values.httpRoute "name" … "port" … "component" … "paths" […]). A rule may
     leave out its matches, the backend, and the timeout, which must be off: a WebSocket is one request of unlimited length. */}}
{{- define "crosspod.httpRoute" -}}
{{- $backend := list (dict "name" .name "port" (int .port)) -}}
{{- $matches := list -}}
{{- range .paths -}}
{{- $matches = append $matches (dict "path" (dict "type" "PathPrefix" "value" .)) -}}
{{- end -}}
{{- $own := dict "timeouts" (dict "request" "0s") -}}
{{- if .route.sessionPersistence -}}
{{- $cookie := .root.Values.ingress.cookie -}}
{{- $age := printf "%ds" (int $cookie.maxAgeSeconds) -}}
{{- $_ := set $own "sessionPersistence" (dict "sessionName" $cookie.name "type" "Cookie" "absoluteTimeout" $age "cookieConfig" (dict "lifetimeType" "Permanent")) -}}
{{- end -}}
{{- $rules := list -}}
{{- range .route.rules | default (list dict) -}}
{{- /* A rule that redirects must have no backend. */ -}}
{{- $elsewhere := false -}}
{{- range .filters -}}{{- if eq .type "RequestRedirect" -}}{{- $elsewhere = true -}}{{- end -}}{{- end -}}
{{- $rule := merge dict . (dict "matches" $matches) -}}
{{- if not $elsewhere -}}{{- $rule = merge $rule (dict "backendRefs" $backend) $own -}}{{- end -}}
{{- $rules = append $rules $rule -}}
{{- end -}}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "crosspod.labels" (dict "root" .root "component" .component "more" .route.labels) | nindent 4 }}
  {{- with .route.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  parentRefs:
    {{- toYaml .route.parentRefs | nindent 4 }}
  {{- with .route.hostnames }}
  hostnames:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    {{- toYaml $rules | nindent 4 }}
{{- end -}}
