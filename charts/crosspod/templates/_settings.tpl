{{/* Settings of the gateway without secrets, as a map of strings. They are variables of the pods, not a ConfigMap: a
     ReplicaSet keeps its variables even if the upgrade fails or the release changes later. */}}
{{- define "crosspod.settings" -}}
LOG_FORMAT: json
DRAIN_DELAY_SECONDS: {{ .Values.drain.delaySeconds | quote }}
DRAIN_WINDOW_SECONDS: {{ .Values.drain.windowSeconds | quote }}
SHUTDOWN_TIMEOUT_SECONDS: {{ .Values.drain.timeoutSeconds | quote }}
{{ include "crosspod.engineSettings" . }}
{{- range include "crosspod.files" . | fromJsonArray }}
{{ .setting }}: {{ printf "/%s/%s" .name .key | quote }}
{{- end }}
{{- if .Values.rooms }}
ROOMS_FILE: /room-rules/rooms.yaml
{{- end }}
{{- end -}}

{{/* Settings that lead to Redis or NATS. */}}
{{- define "crosspod.engineSettings" -}}
{{- $broker := include "crosspod.broker" . -}}
{{- if eq $broker "chart" -}}
REDIS_SENTINELS: {{ include "crosspod.redis.sentinels" . | quote }}
REDIS_SENTINEL_MASTER: {{ .Values.redis.sentinel.masterName | quote }}
REDIS_USERNAME: crosspod
{{- if .Values.redis.tls.enabled }}
REDIS_TLS: 'true'
{{- end }}
{{- else if eq $broker "url" -}}
{{- with .Values.externalRedis.url }}
REDIS_URL: {{ . | quote }}
{{- end }}
{{- else if eq $broker "sentinel" -}}
REDIS_SENTINELS: {{ join "," .Values.externalRedis.sentinels | quote }}
REDIS_SENTINEL_MASTER: {{ .Values.externalRedis.sentinelMaster | quote }}
{{- else if eq $broker "cluster" -}}
REDIS_CLUSTER: {{ join "," .Values.externalRedis.cluster | quote }}
{{- else if eq $broker "nats" -}}
BROADCAST_MQ_TYPE: nats
{{- with .Values.externalNats.servers }}
NATS_URL: {{ join "," . | quote }}
{{- end }}
NATS_REPLICAS: {{ .Values.externalNats.replicas | int | quote }}
NATS_PREFIX: {{ .Values.externalNats.prefix | quote }}
{{- else -}}
BROADCAST_MQ_TYPE: memory
{{- end }}
{{- if has $broker (list "url" "sentinel" "cluster") }}
{{- if .Values.externalRedis.tls.enabled }}
REDIS_TLS: 'true'
{{- end }}
{{- with .Values.externalRedis.username }}
REDIS_USERNAME: {{ . | quote }}
{{- end }}
{{- if ne .Values.externalRedis.db nil }}
REDIS_DB: {{ .Values.externalRedis.db | int | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The values under `settings`, as a map of strings. Helm reads numbers as floats, and would write 1000000 as 1e+06. */}}
{{- define "crosspod.givenSettings" -}}
{{- $given := dict -}}
{{- range $name, $value := .Values.settings -}}
{{- if ne $value nil -}}
{{- $_ := set $given $name (ternary ($value | int64 | toString) ($value | toString) (kindIs "float64" $value)) -}}
{{- end -}}
{{- end -}}
{{- toJson $given -}}
{{- end -}}

{{/* All variables of the gateway's container. Each name occurs once. */}}
{{- define "crosspod.env" -}}
# Probes, Services and policies rely on these ports.
- name: PORT
  value: '8080'
- name: OPS_PORT
  value: '9090'
{{- $settings := merge (include "crosspod.givenSettings" . | fromJson) (include "crosspod.settings" . | fromYaml) }}
{{- with include "crosspod.authentication" . }}
{{- $_ := set $settings "AUTH_ENABLED" . }}
{{- end }}
{{- range $name, $value := $settings }}
- name: {{ $name }}
  {{- /* Kubernetes replaces $(NAME) by another variable, and reads $$ as $. */}}
  value: {{ $value | replace "$" "$$" | quote }}
{{- end }}
{{- with include "crosspod.secretEnvs" . | trim }}
{{ . }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
