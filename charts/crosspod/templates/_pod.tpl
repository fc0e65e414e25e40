{{/* Annotations of the gateway's pods. Pods read secrets only at their start, so the checksums replace them when a secret in
     the values changes. Generated passwords never change, and Helm does not know the content of other Secrets. */}}
{{- define "crosspod.podAnnotations" -}}
{{- $all := dict -}}
{{- with (include (print $.Template.BasePath "/secret.yaml") . | fromYaml).stringData -}}
{{- $_ := set $all "checksum/secret" (include "crosspod.secretChecksum" (dict "root" $ "data" .)) -}}
{{- end -}}
{{- $auth := .Values.redis.auth -}}
{{- if and (eq (include "crosspod.broker" .) "chart") (or $auth.password $auth.sentinelPassword) -}}
{{- $_ := set $all "checksum/redis-auth" (include "crosspod.secretChecksum" (dict "root" . "data" (pick $auth "password" "sentinelPassword"))) -}}
{{- end -}}
{{- if eq (include "crosspod.annotated" .) "true" -}}
{{- $scrape := dict "prometheus.io/scrape" "true" "prometheus.io/port" "9090" "prometheus.io/path" "/metrics" -}}
{{- $all = merge $all (.Values.podAnnotations | default dict) $scrape -}}
{{- else -}}
{{- $all = merge $all (.Values.podAnnotations | default dict) -}}
{{- end -}}
{{- if $all -}}{{- toYaml $all -}}{{- end -}}
{{- end -}}
