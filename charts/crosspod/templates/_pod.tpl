{{/* Annotations of the gateway's pods. They read secrets once, when they start: where one that the values hold changes,
     they are replaced. A generated password never changes, and what is in another Secret is not known to Helm. */}}
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
