{{/* One variable out of a Secret: (dict "name" … "secret" … "key" … "optional" bool) */}}
{{- define "crosspod.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end -}}

{{/* Settings of the gateway that hold secrets, without those of Redis and NATS. */}}
{{- define "crosspod.ownSecretEnvs" -}}
{{- $secrets := .Values.secrets | default dict }}
{{- range $name := include "crosspod.secretNames" . | fromJsonArray }}
{{- if index $secrets $name }}
{{ include "crosspod.secretEnv" (dict "name" $name "secret" (include "crosspod.fullname" $) "key" $name) }}
{{- else if $secrets.existingSecret }}
{{ include "crosspod.secretEnv" (dict "name" $name "secret" $secrets.existingSecret "key" $name "optional" true) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* "true" where a token is needed to connect, as far as the values tell. */}}
{{- define "crosspod.authenticated" -}}
{{- $settings := .Values.settings | default dict -}}
{{- if not (has $settings.AUTH_ENABLED (list nil "")) -}}
{{- $settings.AUTH_ENABLED | toString | lower -}}
{{- else -}}
{{- or (not (empty (.Values.secrets).JWT_SECRET)) (not (empty $settings.JWKS_URL)) (not (empty $settings.JWKS_FILE)) -}}
{{- end -}}
{{- end -}}

{{/* The gateway's variables that hold secrets, each by reference. */}}
{{- define "crosspod.secretEnvs" -}}
{{- $own := include "crosspod.fullname" . -}}
{{ include "crosspod.ownSecretEnvs" . }}
{{- $broker := include "crosspod.broker" . }}
{{- $external := .Values.externalRedis }}
{{- if eq $broker "chart" }}
{{ include "crosspod.redis.gatewayEnv" . }}
{{- else if eq $broker "nats" }}
{{- with .Values.externalNats.urlKey }}
{{ include "crosspod.secretEnv" (dict "name" "NATS_URL" "secret" $.Values.externalNats.existingSecret "key" .) }}
{{- end }}
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
