{{/* host:port of each pod's Sentinel, for REDIS_SENTINELS. */}}
{{- define "crosspod.redis.sentinels" -}}
{{- $root := . -}}
{{- $list := list -}}
{{- range $ordinal := until (int .Values.redis.replicas) -}}
{{- $list = append $list (printf "%s:26379" (include "crosspod.redis.host" (dict "root" $root "ordinal" $ordinal))) -}}
{{- end -}}
{{- join "," $list -}}
{{- end -}}

{{/* The Secret with all passwords of Redis. */}}
{{- define "crosspod.redis.secretName" -}}
{{- default (include "crosspod.redis.fullname" .) .Values.redis.auth.existingSecret -}}
{{- end -}}

{{/* The key in it for REDIS_PASSWORD. */}}
{{- define "crosspod.redis.passwordKey" -}}
{{- if .Values.redis.auth.existingSecret -}}{{ .Values.redis.auth.passwordKey }}{{- else -}}password{{- end -}}
{{- end -}}

{{/* The key in it for REDIS_SENTINEL_PASSWORD. */}}
{{- define "crosspod.redis.sentinelPasswordKey" -}}
{{- if .Values.redis.auth.existingSecret -}}{{ .Values.redis.auth.sentinelPasswordKey }}{{- else -}}sentinel-password{{- end -}}
{{- end -}}

{{/* The key in it for Redis' user default, which replicas and Sentinels use. */}}
{{- define "crosspod.redis.replicationPasswordKey" -}}
{{- if .Values.redis.auth.existingSecret -}}{{ .Values.redis.auth.replicationPasswordKey }}{{- else -}}replication-password{{- end -}}
{{- end -}}

{{/* The prefix of each key and channel of the gateway. */}}
{{- define "crosspod.redisPrefix" -}}
{{- default "" (.Values.settings).REDIS_PREFIX -}}
{{- end -}}

{{- define "crosspod.redis.fullname" -}}
{{- printf "%s-redis" (include "crosspod.fullname" .) -}}
{{- end -}}

{{- define "crosspod.redis.labels" -}}
{{- include "crosspod.labels" (dict "root" . "component" "redis") -}}
{{- end -}}

{{- define "crosspod.redis.selectorLabels" -}}
{{- include "crosspod.selectorLabels" (dict "root" . "component" "redis") -}}
{{- end -}}

{{/* The host name of one pod, which stays when the pod is replaced: (dict "root" $ "ordinal" 0) */}}
{{- define "crosspod.redis.host" -}}
{{- printf "%s-%d.%s.svc" (include "crosspod.redis.fullname" .root) .ordinal .root.Release.Namespace -}}
{{- end -}}

{{- define "crosspod.redis.majority" -}}
{{- add1 (div (int .Values.redis.replicas) 2) -}}
{{- end -}}

{{- define "crosspod.redis.quorum" -}}
{{- if kindIs "invalid" .Values.redis.sentinel.quorum -}}
{{- include "crosspod.redis.majority" . -}}
{{- else -}}
{{- int .Values.redis.sentinel.quorum -}}
{{- end -}}
{{- end -}}

{{/* Refuses values with which Redis would lose data or never start. Renders nothing. */}}
{{- define "crosspod.redis.validate" -}}
{{- $redis := .Values.redis -}}
{{- $replicas := int $redis.replicas -}}
{{- $quorum := int (include "crosspod.redis.quorum" .) -}}
{{- if not (has $replicas (list 3 5)) -}}
{{- fail (printf "redis.replicas is %d: allowed are 3 and 5, so that a majority remains if one is lost" $replicas) -}}
{{- end -}}
{{- $limit := include "crosspod.bytes" (($redis.resources | default dict).limits | default dict).memory | int64 -}}
{{- $most := include "crosspod.redis.bytes" $redis.maxmemory | int64 -}}
{{- if and (gt $limit 0) (or (eq $most 0) (gt (mul 10 $most) (mul 8 $limit))) -}}
{{- fail (printf "redis.maxmemory is %v: at most four fifths of redis.resources.limits.memory, which is %v; Redis needs the rest to rewrite its file and to synchronize replicas; without it the kernel kills Redis" $redis.maxmemory $redis.resources.limits.memory) -}}
{{- end -}}
{{- if not (or $redis.image.tag $redis.image.digest) -}}
{{- fail "redis.image.tag: empty; give a tag or a digest, or leave it out" -}}
{{- end -}}
{{- $running := (lookup "apps/v1" "StatefulSet" .Release.Namespace (include "crosspod.redis.fullname" .)).spec | default dict -}}
{{- if gt (int $running.replicas) $replicas -}}
{{- fail (printf "redis.replicas is %d, and %d run: Sentinels never forget each other, so fewer would not be a majority; keep that number, or install a new release" $replicas (int $running.replicas)) -}}
{{- end -}}
{{- if or (ge $quorum $replicas) (lt $quorum (int (include "crosspod.redis.majority" .))) -}}
{{- fail (printf "redis.sentinel.quorum is %d: with redis.replicas %d it must be at least %s, and less than all: the Sentinel beside a dead master may be dead as well" $quorum $replicas (include "crosspod.redis.majority" .)) -}}
{{- end -}}
{{- if ge (int $redis.minReplicasToWrite) $replicas -}}
{{- fail (printf "redis.minReplicasToWrite is %d: with redis.replicas %d a master has no more than %d replicas" (int $redis.minReplicasToWrite) $replicas (sub $replicas 1)) -}}
{{- end -}}
{{- if and $redis.tls.enabled (not $redis.tls.existingSecret) -}}
{{- fail "redis.tls.enabled needs redis.tls.existingSecret, a Secret with tls.crt, tls.key and ca.crt" -}}
{{- end -}}
{{- if lt (int $redis.terminationGracePeriodSeconds) 20 -}}
{{- fail (printf "redis.terminationGracePeriodSeconds is %d: a handover to another master needs at least 20" (int $redis.terminationGracePeriodSeconds)) -}}
{{- end -}}
{{- $startup := mul (int (default 10 $redis.startupProbe.periodSeconds)) (int (default 3 $redis.startupProbe.failureThreshold)) -}}
{{- if lt $startup (add 60 (int $redis.sentinel.masterPatienceSeconds)) -}}
{{- fail (printf "redis.startupProbe gives up after %d s: it must be 60 s more than redis.sentinel.masterPatienceSeconds, which is %d" $startup (int $redis.sentinel.masterPatienceSeconds)) -}}
{{- end -}}
{{- if and $redis.auth.existingSecret (or $redis.auth.password $redis.auth.sentinelPassword $redis.auth.replicationPassword) -}}
{{- fail "redis.auth: give existingSecret or passwords, not both" -}}
{{- end -}}
{{- end -}}

{{/* Environment of both containers. Passwords are variables, so that probes use those of the container's start even if the Secret changes later. */}}
{{- define "crosspod.redis.env" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- {name: CONFIG_DIR, value: /run/redis/config}
- {name: DATA_DIR, value: /data}
- {name: RUN_DIR, value: /run/redis}
- {name: TLS_DIR, value: /tls}
- name: REPLICATION_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "crosspod.redis.secretName" . | quote }}, key: {{ include "crosspod.redis.replicationPasswordKey" . | quote }}}}
- name: SENTINEL_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "crosspod.redis.secretName" . | quote }}, key: {{ include "crosspod.redis.sentinelPasswordKey" . | quote }}}}
{{- end -}}

{{/* Starts a script of the ConfigMap: (dict "script" "redis-start.sh"). A pod copies the files and keeps its copy: the mounted files change under running pods as soon as the values change, and probes could, for example, use TLS with a Redis that does not. */}}
{{- define "crosspod.redis.command" -}}
- /bin/sh
- -c
- >-
  if [ ! -d "$CONFIG_DIR" ]; then mkdir -p "$CONFIG_DIR.new" && cp -f /config/* "$CONFIG_DIR.new" && mv "$CONFIG_DIR.new" "$CONFIG_DIR"; fi;
  exec /bin/sh "$CONFIG_DIR/{{ .script }}"
{{- end -}}

{{/* Mounts of one container: (dict "root" $ "run" "run-redis") */}}
{{- define "crosspod.redis.volumeMounts" -}}
- {name: config, mountPath: /config, readOnly: true}
- {name: data, mountPath: /data}
- {name: {{ .run }}, mountPath: /run/redis}
- {name: hosts, mountPath: /etc/hosts, subPath: hosts, readOnly: true}
{{- if .root.Values.redis.tls.enabled }}
- {name: tls, mountPath: /tls, readOnly: true}
{{- end }}
{{- end -}}

{{- define "crosspod.redis.affinity" -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "crosspod.redis.selectorLabels" . | fromYaml)) -}}
{{- if .Values.redis.affinity -}}
{{- toYaml .Values.redis.affinity -}}
{{- else if eq .Values.redis.antiAffinity "hard" -}}
{{- dict "podAntiAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term)) | toYaml -}}
{{- else if eq .Values.redis.antiAffinity "soft" -}}
{{- dict "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $term))) | toYaml -}}
{{- end -}}
{{- end -}}

{{- define "crosspod.redis.topologySpread" -}}
{{- if .Values.redis.topologySpreadConstraints -}}
{{- include "crosspod.spread" (dict "root" . "component" "redis" "given" .Values.redis.topologySpreadConstraints) -}}
{{- else -}}
- maxSkew: 1
  topologyKey: topology.kubernetes.io/zone
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "crosspod.redis.selectorLabels" . | nindent 6 }}
{{- end -}}
{{- end -}}

{{/* The gateway's variables with the passwords of Redis and its Sentinels. */}}
{{- define "crosspod.redis.gatewayEnv" -}}
{{- $secret := include "crosspod.redis.secretName" . -}}
{{ include "crosspod.secretEnv" (dict "name" "REDIS_PASSWORD" "secret" $secret "key" (include "crosspod.redis.passwordKey" .)) }}
{{ include "crosspod.secretEnv" (dict "name" "REDIS_SENTINEL_PASSWORD" "secret" $secret "key" (include "crosspod.redis.sentinelPasswordKey" .)) }}
{{- end -}}
