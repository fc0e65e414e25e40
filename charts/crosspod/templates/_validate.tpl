{{/* Refuses empty values that the templates need. files/needed-values.json lists them; it is generated from values.yaml.
     Renders nothing. */}}
{{- define "crosspod.validateNeeded" -}}
{{- $hint := "; after an upgrade with --reuse-values: use --reset-then-reuse-values, which adds values that are new in the chart" -}}
{{- range $path, $kind := .Files.Get "files/needed-values.json" | fromJson -}}
{{- $at := $.Values -}}
{{- range splitList "." $path -}}
{{- $at = index $at . -}}
{{- end -}}
{{- if kindIs "invalid" $at -}}
{{- if eq $kind "group" -}}
{{- fail (printf "%s: the group is empty; leave it out, or give it values%s" $path $hint) -}}
{{- else -}}
{{- fail (printf "%s: empty; give it a value, or leave it out%s" $path $hint) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses invalid addresses and passwords. The schema does not check them, because Helm prints a value that a schema
     refuses. Renders nothing. */}}
{{- define "crosspod.validateAddresses" -}}
{{- $redis := .Values.externalRedis -}}
{{- if and $redis.url (contains "@" $redis.url) -}}
{{- fail "externalRedis.url: contains an @, so it may hold a login, which is a secret; give externalRedis.username and externalRedis.existingSecret, or put the whole URL in that Secret (externalRedis.urlKey)" -}}
{{- end -}}
{{- if and $redis.url (not (regexMatch "^rediss?://(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?(/[0-9]{0,6})?$" $redis.url)) -}}
{{- fail "externalRedis.url: the value is not an address; write redis://host:port, or rediss://host:port for TLS" -}}
{{- end -}}
{{- range $name := list "sentinels" "cluster" -}}
{{- range index $redis $name -}}
{{- if not (regexMatch "^([A-Za-z0-9_.-]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$" .) -}}
{{- fail (printf "externalRedis.%s: an item is not an address; write host:port, without a login" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.externalNats.servers -}}
{{- if contains "@" . -}}
{{- fail "externalNats.servers: an item contains an @, so it may hold a login, which is a secret; put all servers with user and password in a Secret (externalNats.existingSecret and urlKey)" -}}
{{- end -}}
{{- if not (regexMatch "^(nats|tls)://(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?$" .) -}}
{{- fail "externalNats.servers: an item is not an address; write one nats://host:port or tls://host:port per item" -}}
{{- end -}}
{{- end -}}
{{- with .Values.keda.prometheus.serverAddress -}}
{{- if not (regexMatch "^https?://[^@\\s]+$" .) -}}
{{- fail "keda.prometheus.serverAddress: the value is not an address; write http://host:port, without a login (that belongs in keda.prometheus.authenticationRef)" -}}
{{- end -}}
{{- end -}}
{{- range $path := include "crosspod.secretKeyValues" . | fromJsonArray -}}
{{- $at := $.Values -}}
{{- range splitList "." $path -}}{{- $at = index ($at | default dict) . -}}{{- end -}}
{{- if and $at (not (regexMatch "^[-._a-zA-Z0-9]+$" $at)) -}}
{{- fail (printf "%s: the value is not a key of a Secret; write the key's name (letters, digits and - _ .), not its content" $path) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "password" "sentinelPassword" "replicationPassword" -}}
{{- if regexMatch "[\\x00-\\x1f\\x7f]" (index $.Values.redis.auth $name | default "") -}}
{{- fail (printf "redis.auth.%s: contains a line break or another control character, which Redis cannot read" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Values that name a key of a Secret, where an operator may have written the secret itself by mistake. */}}
{{- define "crosspod.secretKeyValues" -}}
{{- $paths := list "externalRedis.urlKey" "externalRedis.passwordKey" "externalRedis.sentinelPasswordKey" "externalNats.urlKey" "externalNats.credentialsKey" -}}
{{- range list "passwordKey" "sentinelPasswordKey" "replicationPasswordKey" -}}
{{- $paths = append $paths (printf "redis.auth.%s" .) -}}
{{- end -}}
{{- range include "crosspod.secretNames" . | fromJsonArray -}}
{{- $paths = append $paths (printf "secrets.existingSecretKeyNames.%s" .) -}}
{{- end -}}
{{- toJson $paths -}}
{{- end -}}

{{/* Refuses settings that a pod would refuse at its start. files/settings.json has the allowed values; it is generated from
     src/settings.ts. Renders nothing. */}}
{{- define "crosspod.validateSettings" -}}
{{- $known := .Files.Get "files/settings.json" | fromJson -}}
{{- range $name, $value := include "crosspod.givenSettings" . | fromJson -}}
{{- $kind := index $known $name -}}
{{- if $value -}}
{{- $ok := regexMatch ($kind.pattern | default "") $value -}}
{{- if and $ok (hasKey $kind "most") -}}
{{- $ok = and (ge (int64 $value) (int64 $kind.least)) (le (int64 $value) (int64 $kind.most)) -}}
{{- end -}}
{{- if not $ok -}}
{{- /* A value with an @ may hold a login. */ -}}
{{- $shown := ternary "the value given" (quote $value) (or $kind.secret (contains "@" $value)) -}}
{{- fail (printf "settings.%s: %s is not valid; allowed: %s" $name $shown $kind.allowed) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses variables that occur twice (Kubernetes would use one of them, or fail in the middle of an upgrade), and settings
     of the gateway in extraEnv, which would bypass the checks. Renders nothing. */}}
{{- define "crosspod.validateEnv" -}}
{{- $instead := dict "PORT" "service.port; pods listen on 8080" "OPS_PORT" "opsService.port; pods listen on 9090" "SERVER_ADDR" "service.port; pods listen on 8080" -}}
{{- range include "crosspod.secretNames" . | fromJsonArray -}}
{{- $_ := set $instead . (printf "secrets.%s, or secrets.existingSecret with secrets.existingSecretKeys" .) -}}
{{- end -}}
{{- $chart := eq (include "crosspod.broker" .) "chart" -}}
{{- range $name, $value := dict "REDIS_PASSWORD" "password" "REDIS_SENTINEL_PASSWORD" "sentinelPassword" -}}
{{- $_ := set $instead $name (ternary (printf "redis.auth.%s or redis.auth.existingSecret" $value) (printf "externalRedis.%s or externalRedis.existingSecret" $value) $chart) -}}
{{- end -}}
{{- $_ := set $instead "AUTH_ENABLED" "authentication.enabled" -}}
{{- $_ := set $instead "DRAIN_DELAY_SECONDS" "drain.delaySeconds" -}}
{{- $_ := set $instead "DRAIN_WINDOW_SECONDS" "drain.windowSeconds" -}}
{{- $_ := set $instead "SHUTDOWN_TIMEOUT_SECONDS" "drain.timeoutSeconds" -}}
{{- range list "BROADCAST_MQ_TYPE" "REDIS_URL" "REDIS_ADDR" "REDIS_USERNAME" "REDIS_DB" "REDIS_SENTINELS" "REDIS_SENTINEL_MASTER" "REDIS_CLUSTER" "REDIS_TLS" "REDIS_CA_FILE" -}}
{{- $_ := set $instead . "redis, externalRedis or externalNats" -}}
{{- end -}}
{{- $_ := set $instead "NATS_URL" "externalNats.servers or externalNats.urlKey" -}}
{{- range list "NATS_CREDENTIALS" "NATS_CA_FILE" "NATS_REPLICAS" "NATS_PREFIX" -}}
{{- $_ := set $instead . "externalNats" -}}
{{- end -}}
{{- $known := .Files.Get "files/settings.json" | fromJson -}}
{{- range .Values.extraEnv -}}
{{- if not (regexMatch "^[-._a-zA-Z][-._a-zA-Z0-9]*$" .name) -}}
{{- fail "extraEnv: an item's name is not a valid variable name; write letters, digits and _ as the name, and the content as its value" -}}
{{- end -}}
{{- if and (hasKey . "value") (hasKey . "valueFrom") -}}
{{- fail (printf "extraEnv: %s has both value and valueFrom; give only one" .name) -}}
{{- end -}}
{{- if not (or (not (hasKey . "value")) (kindIs "string" .value)) -}}
{{- fail (printf "extraEnv: the value of %s is not a string; put it in quotes" .name) -}}
{{- end -}}
{{- if or (omit . "name" "value" "valueFrom") (omit (.valueFrom | default dict) "configMapKeyRef" "secretKeyRef" "fieldRef" "resourceFieldRef" "fileKeyRef") -}}
{{- fail (printf "extraEnv: %s may only have a value, or a valueFrom with secretKeyRef, configMapKeyRef, fieldRef or resourceFieldRef" .name) -}}
{{- end -}}
{{- if hasKey $known .name -}}
{{- fail (printf "extraEnv: %s is a setting of the gateway, which is not checked here; use %s" .name (index $instead .name | default (printf "settings.%s" .name))) -}}
{{- end -}}
{{- end -}}
{{- include "crosspod.validateOnce" (dict "value" "extraEnv" "key" "name" "items" .Values.extraEnv) -}}
{{- include "crosspod.validateOnce" (dict "value" "imagePullSecrets" "key" "name" "items" .Values.imagePullSecrets) -}}
{{- $volumes := list -}}
{{- $mounts := list -}}
{{- range include "crosspod.files" . | fromJsonArray -}}
{{- $volumes = append $volumes (dict "name" .name) -}}
{{- $mounts = append $mounts (dict "mountPath" (printf "/%s" .name)) -}}
{{- end -}}
{{- if .Values.rooms -}}
{{- if (.Values.settings).ROOMS_FILE -}}
{{- fail "settings.ROOMS_FILE: the chart sets it to the file with the rules under rooms; leave out one of them" -}}
{{- end -}}
{{- $volumes = append $volumes (dict "name" "room-rules") -}}
{{- $mounts = append $mounts (dict "mountPath" "/room-rules") -}}
{{- end -}}
{{- include "crosspod.validateOnce" (dict "value" "extraVolumes" "key" "name" "items" (concat $volumes (.Values.extraVolumes | default list))) -}}
{{- include "crosspod.validateOnce" (dict "value" "extraVolumeMounts" "key" "mountPath" "items" (concat $mounts (.Values.extraVolumeMounts | default list))) -}}
{{- $names := list -}}
{{- range concat $volumes (.Values.extraVolumes | default list) -}}{{- $names = append $names .name -}}{{- end -}}
{{- range .Values.extraVolumeMounts -}}
{{- if not (has .name $names) -}}
{{- fail (printf "extraVolumeMounts: unknown volume %v; give it in extraVolumes" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses items with the same key: (dict "value" "extraEnv" "key" "name" "items" list) */}}
{{- define "crosspod.validateOnce" -}}
{{- $seen := list -}}
{{- range .items -}}
{{- $id := index . $.key -}}
{{- if has $id $seen -}}
{{- fail (printf "%s: %s occurs twice, perhaps once in the chart itself; remove one, or change its %s" $.value $id $.key) -}}
{{- end -}}
{{- $seen = append $seen $id -}}
{{- end -}}
{{- end -}}

{{/* Refuses network policies that would keep the gateway from configured addresses. Renders nothing. */}}
{{- define "crosspod.validateEgress" -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.extraEgress) -}}
{{- $broker := include "crosspod.broker" . -}}
{{- $outside := list -}}
{{- if has $broker (list "url" "sentinel" "cluster") -}}{{- $outside = append $outside "externalRedis" -}}{{- end -}}
{{- if eq $broker "nats" -}}{{- $outside = append $outside "externalNats" -}}{{- end -}}
{{- range $name, $value := include "crosspod.givenSettings" . | fromJson -}}
{{- if and $value (hasSuffix "_URL" $name) -}}{{- $outside = append $outside (printf "settings.%s" $name) -}}{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if regexMatch "^OTEL_EXPORTER_OTLP_(.*_)?ENDPOINT$" .name -}}{{- $outside = append $outside (printf "extraEnv %s" .name) -}}{{- end -}}
{{- end -}}
{{- with $outside -}}
{{- fail (printf "networkPolicy.extraEgress: empty, so pods could not reach the address in %s; add a rule for it, as in k8s/values/nats.yaml" (join ", " .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses a release whose objects would have the names of another release's. Helm would name only the first of them, and
     not what to do. Renders nothing. */}}
{{- define "crosspod.validateNames" -}}
{{- $name := include "crosspod.fullname" . -}}
{{- $redis := printf "%s-redis" $name -}}
{{- $objects := list (list "apps/v1" "Deployment" $name) (list "v1" "Service" $name) (list "v1" "Service" (printf "%s-ops" $name)) -}}
{{- if .Values.redis.enabled -}}
{{- $objects = concat $objects (list (list "apps/v1" "StatefulSet" $redis) (list "v1" "Service" $redis)) -}}
{{- end -}}
{{- range $objects -}}
{{- $kind := index . 1 -}}
{{- $found := lookup (index . 0) $kind $.Release.Namespace (index . 2) -}}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" $found -}}
{{- if and $owner (ne $owner $.Release.Name) -}}
{{- fail (printf "fullnameOverride: the release %s already has a %s %s, and this release would use the same name; give another name (fullnameOverride), or install into another namespace" $owner $kind (index . 2)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
