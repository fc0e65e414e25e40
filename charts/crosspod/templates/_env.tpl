{{/* One variable from a Secret. The container does not start without the key: (dict "name" … "secret" … "key" …) */}}
{{- define "crosspod.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
{{- end -}}

{{/* Variables for those of the named secrets that the values give; not for Redis and NATS: (dict "root" $ "names" list) */}}
{{- define "crosspod.ownSecretEnvs" -}}
{{- $places := include "crosspod.secretPlaces" .root | fromJson -}}
{{- range $name := .names }}
{{- with index $places $name }}
{{ include "crosspod.secretEnv" (dict "name" $name "secret" .secret "key" .key) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The gateway's variables that hold secrets, all by reference. */}}
{{- define "crosspod.secretEnvs" -}}
{{- $own := include "crosspod.fullname" . -}}
{{ include "crosspod.ownSecretEnvs" (dict "root" . "names" (include "crosspod.secretNames" . | fromJsonArray)) }}
{{- $broker := include "crosspod.broker" . }}
{{- $external := .Values.externalRedis }}
{{- if eq $broker "chart" }}
{{ include "crosspod.redis.gatewayEnv" . }}
{{- else if eq $broker "nats" }}
{{- with .Values.externalNats.urlKey }}
{{ include "crosspod.secretEnv" (dict "name" "NATS_URL" "secret" $.Values.externalNats.existingSecret "key" .) }}
{{- end }}
{{- else if $external.urlKey }}
{{ include "crosspod.secretEnv" (dict "name" "REDIS_URL" "secret" $external.existingSecret "key" $external.urlKey) }}
{{- else if ne $broker "none" }}
{{- if $external.password }}
{{ include "crosspod.secretEnv" (dict "name" "REDIS_PASSWORD" "secret" $own "key" "REDIS_PASSWORD") }}
{{- else if and $external.existingSecret $external.passwordKey }}
{{ include "crosspod.secretEnv" (dict "name" "REDIS_PASSWORD" "secret" $external.existingSecret "key" $external.passwordKey) }}
{{- end }}
{{- if $external.sentinelPassword }}
{{ include "crosspod.secretEnv" (dict "name" "REDIS_SENTINEL_PASSWORD" "secret" $own "key" "REDIS_SENTINEL_PASSWORD") }}
{{- else if and $external.existingSecret $external.sentinelPasswordKey }}
{{ include "crosspod.secretEnv" (dict "name" "REDIS_SENTINEL_PASSWORD" "secret" $external.existingSecret "key" $external.sentinelPasswordKey) }}
{{- end }}
{{- end }}
{{- end -}}
