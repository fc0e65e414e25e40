{{/* The chart's name, or nameOverride. */}}
{{- define "crosspod.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The prefix of every object's name, short enough that names with suffixes fit in 63 characters. */}}
{{- define "crosspod.fullname" -}}
{{- $name := include "crosspod.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels of one component that never change: (dict "root" $ "component" "gateway"). */}}
{{- define "crosspod.selectorLabels" -}}
app.kubernetes.io/name: {{ include "crosspod.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* All labels of one component; `more` are an object's own. Labels that Helm and the selectors need win over the values.
     The version is the chart's, because an image tag may hold a digest, which is not a valid label. */}}
{{- define "crosspod.labels" -}}
{{- $chart := printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- $labels := include "crosspod.selectorLabels" . | fromYaml -}}
{{- $labels = merge $labels (dict "helm.sh/chart" $chart "app.kubernetes.io/managed-by" .root.Release.Service) -}}
{{- $labels = merge $labels (dict "app.kubernetes.io/version" .root.Chart.AppVersion) (.more | default dict) -}}
{{- merge $labels (.root.Values.commonLabels | default dict) (dict "app.kubernetes.io/part-of" "crosspod") | toYaml -}}
{{- end -}}

{{/* repository:tag, or repository@digest: (dict "image" .Values.image "tag" "1.2.3") */}}
{{- define "crosspod.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .tag .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "crosspod.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "crosspod.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* "true" if the chart needs a Secret of its own for the gateway. */}}
{{- define "crosspod.hasSecret" -}}
{{- $has := false -}}
{{- range include "crosspod.secretNames" . | fromJsonArray -}}
{{- if index ($.Values.secrets | default dict) . -}}{{- $has = true -}}{{- end -}}
{{- end -}}
{{- if or .Values.externalRedis.password .Values.externalRedis.sentinelPassword -}}{{- $has = true -}}{{- end -}}
{{- if $has -}}true{{- end -}}
{{- end -}}

{{/* A checksum of secret data for an annotation: (dict "root" $ "data" {…}). A user who may read pods could quickly test
     passwords against a plain hash; this one uses scrypt, salted by the release. */}}
{{- define "crosspod.secretChecksum" -}}
{{- derivePassword 1 "maximum" (toJson .data) .root.Release.Name .root.Release.Namespace | sha256sum -}}
{{- end -}}

{{/* A PromQL pattern (Deployment, ReplicaSet, pod) for the names of the gateway's pods. It does not match pods of Redis, or of
     a release whose name starts with this one's. */}}
{{- define "crosspod.podPattern" -}}
{{- include "crosspod.fullname" . -}}-[a-z0-9]+-[a-z0-9]{5}
{{- end -}}

{{/* How many seconds a pod waits for Redis or NATS at its start; 0 without either. */}}
{{- define "crosspod.startWait" -}}
{{- if ne (include "crosspod.broker" .) "none" -}}
{{- $given := (.Values.settings).START_WAIT_SECONDS -}}
{{- ternary 20 $given (has $given (list nil "")) | int -}}
{{- else -}}0
{{- end -}}
{{- end -}}

{{/* The fields of the startup probe. It must not restart a pod that waits for Redis or NATS. */}}
{{- define "crosspod.startupProbe" -}}
{{- $probe := .Values.startupProbe | default dict -}}
{{- $attempts := divf (add (include "crosspod.startWait" . | int) 40) ($probe.periodSeconds | default 10) | ceil | int -}}
{{- merge (dict "failureThreshold" ($probe.failureThreshold | default $attempts)) $probe | toYaml -}}
{{- end -}}

{{/* The WebSocket path that NOTES and `helm test` use: the first one. */}}
{{- define "crosspod.wsPath" -}}
{{- (.Values.settings).WS_PATHS | default "/ws" | splitList "," | first | trim -}}
{{- end -}}

{{/* What carries messages between pods: chart | url | sentinel | cluster | nats | none. The first four are Redis. */}}
{{- define "crosspod.broker" -}}
{{- if .Values.redis.enabled -}}chart
{{- else if or .Values.externalRedis.url .Values.externalRedis.urlKey -}}url
{{- else if .Values.externalRedis.sentinels -}}sentinel
{{- else if .Values.externalRedis.cluster -}}cluster
{{- else if or .Values.externalNats.servers .Values.externalNats.urlKey -}}nats
{{- else -}}none
{{- end -}}
{{- end -}}

{{/* Files from Secrets that the gateway needs for Redis or NATS, as [{setting, name, secret, key}]. Each is mounted as
     /name/key, and the setting holds that path. */}}
{{- define "crosspod.files" -}}
{{- $broker := include "crosspod.broker" . -}}
{{- $external := .Values.externalRedis.tls -}}
{{- $nats := .Values.externalNats -}}
{{- $files := list -}}
{{- if eq $broker "nats" -}}
{{- if $nats.tls.existingSecret -}}
{{- $files = append $files (dict "setting" "NATS_CA_FILE" "name" "nats-ca" "secret" $nats.tls.existingSecret "key" $nats.tls.caKey) -}}
{{- end -}}
{{- if $nats.credentialsKey -}}
{{- $files = append $files (dict "setting" "NATS_CREDENTIALS" "name" "nats-credentials" "secret" $nats.existingSecret "key" $nats.credentialsKey) -}}
{{- end -}}
{{- else if eq $broker "chart" -}}
{{- if .Values.redis.tls.enabled -}}
{{- $files = append $files (dict "setting" "REDIS_CA_FILE" "name" "redis-ca" "secret" .Values.redis.tls.existingSecret "key" "ca.crt") -}}
{{- end -}}
{{- else if $external.existingSecret -}}
{{- $files = append $files (dict "setting" "REDIS_CA_FILE" "name" "redis-ca" "secret" $external.existingSecret "key" $external.caKey) -}}
{{- end -}}
{{- toJson $files -}}
{{- end -}}

{{/* The minimum of terminationGracePeriodSeconds. */}}
{{- define "crosspod.leastGrace" -}}
{{- add .Values.drain.preStopSeconds .Values.drain.timeoutSeconds 5 -}}
{{- end -}}

{{/* The maximum number of pods, with or without an autoscaler. */}}
{{- define "crosspod.mostPods" -}}
{{- if .Values.autoscaling.enabled -}}{{- .Values.autoscaling.maxReplicas -}}
{{- else if .Values.keda.enabled -}}{{- .Values.keda.maxReplicas -}}
{{- else -}}{{- .Values.replicaCount -}}
{{- end -}}
{{- end -}}

{{/* Refuses values that contradict each other. The schema has checked each of them alone. Renders nothing. */}}
{{- define "crosspod.validate" -}}
{{- include "crosspod.validateNeeded" . -}}
{{- include "crosspod.validateObjects" . -}}
{{- include "crosspod.validateAddresses" . -}}
{{- include "crosspod.validateSettings" . -}}
{{- include "crosspod.validateAuthentication" . -}}
{{- include "crosspod.validateEnv" . -}}
{{- include "crosspod.validateEgress" . -}}
{{- include "crosspod.validateNames" . -}}
{{- $broker := include "crosspod.broker" . -}}
{{- $external := .Values.externalRedis -}}
{{- $ways := compact (list $external.url $external.urlKey $external.sentinels $external.cluster) -}}
{{- $login := or $external.username $external.password $external.sentinelPassword $external.existingSecret $external.tls.enabled $external.tls.existingSecret -}}
{{- if and .Values.redis.enabled (or $ways $login) -}}
{{- fail "externalRedis: cannot be used while redis.enabled is true; set redis.enabled=false to use your own Redis" -}}
{{- end -}}
{{- if gt (len $ways) 1 -}}
{{- fail "externalRedis: give only one of url, urlKey, sentinels and cluster" -}}
{{- end -}}
{{- if and $external.urlKey (not $external.existingSecret) -}}
{{- fail "externalRedis.existingSecret: empty; name the Secret that has the key urlKey" -}}
{{- end -}}
{{- if and $external.urlKey (or $external.username $external.password $external.sentinelPassword $external.sentinelPasswordKey (ne $external.db nil)) -}}
{{- fail "externalRedis.urlKey: the URL holds address and login; remove username, password, sentinelPassword, sentinelPasswordKey and db" -}}
{{- end -}}
{{- if and $external.cluster $external.db -}}
{{- fail "externalRedis.db: a Redis Cluster has only database 0; leave it out" -}}
{{- end -}}
{{- $tls := or $external.tls.enabled (hasPrefix "rediss://" ($external.url | default "")) $external.urlKey -}}
{{- if and $external.tls.existingSecret (not $tls) -}}
{{- fail "externalRedis.tls.existingSecret: TLS is off; set externalRedis.tls.enabled=true, or a url that starts with rediss://" -}}
{{- end -}}
{{- $nats := .Values.externalNats -}}
{{- if or $nats.servers $nats.urlKey $nats.existingSecret -}}
{{- if .Values.redis.enabled -}}
{{- fail "externalNats: cannot be used while redis.enabled is true; set redis.enabled=false to use NATS" -}}
{{- end -}}
{{- if $ways -}}
{{- fail "externalNats: cannot be used together with externalRedis; give only one" -}}
{{- end -}}
{{- end -}}
{{- if and $nats.urlKey (or $nats.servers $nats.credentialsKey) -}}
{{- fail "externalNats.urlKey: the URLs hold servers and login; remove servers and credentialsKey" -}}
{{- end -}}
{{- if and (or $nats.urlKey $nats.credentialsKey) (not $nats.existingSecret) -}}
{{- fail "externalNats.existingSecret: empty; name the Secret that has the key" -}}
{{- end -}}
{{- if and $nats.existingSecret (not (or $nats.urlKey $nats.credentialsKey)) -}}
{{- fail "externalNats.existingSecret: none of its keys would be used; give credentialsKey or urlKey" -}}
{{- end -}}
{{- /* For each server, whether it uses TLS. */ -}}
{{- $secure := list -}}
{{- range $nats.servers -}}{{- $secure = append $secure (hasPrefix "tls://" .) -}}{{- end -}}
{{- if gt (len (uniq $secure)) 1 -}}
{{- fail "externalNats.servers: all must start with nats://, or all with tls://" -}}
{{- end -}}
{{- if and $nats.tls.existingSecret (has false $secure) -}}
{{- fail "externalNats.tls.existingSecret: TLS is off; start the servers with tls://" -}}
{{- end -}}
{{- if and (eq $broker "none") (gt (int (include "crosspod.mostPods" .)) 1) -}}
{{- fail "replicaCount: without Redis or NATS pods cannot exchange messages; set redis.enabled=true, externalRedis or externalNats, or use one replica and no autoscaling" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- fail "autoscaling.enabled and keda.enabled: set only one to true; two autoscalers would work against each other" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas: must not exceed autoscaling.maxReplicas" -}}
{{- end -}}
{{- if and .Values.keda.enabled (gt (int .Values.keda.minReplicas) (int .Values.keda.maxReplicas)) -}}
{{- fail "keda.minReplicas: must not exceed keda.maxReplicas" -}}
{{- end -}}
{{- if and .Values.keda.enabled (not .Values.keda.prometheus.serverAddress) -}}
{{- fail "keda.prometheus.serverAddress: empty; KEDA needs the address of Prometheus to query the connections" -}}
{{- end -}}
{{- include "crosspod.scaling.validate" . -}}
{{- if ge (add .Values.drain.delaySeconds .Values.drain.windowSeconds) (int64 .Values.drain.timeoutSeconds) -}}
{{- fail "drain.timeoutSeconds: must be more than drain.delaySeconds + drain.windowSeconds, or the drain is cut short" -}}
{{- end -}}
{{- $probe := .Values.readinessProbe | default dict -}}
{{- /* 10 and 3 are the defaults of Kubernetes. */ -}}
{{- $unready := mul ($probe.periodSeconds | default 10) ($probe.failureThreshold | default 3) -}}
{{- if lt (int64 .Values.drain.delaySeconds) $unready -}}
{{- fail (printf "drain.delaySeconds: must be at least %d, because the readiness probe takes that long to fail (periodSeconds x failureThreshold) and the drain must not begin before; raise it together with drain.timeoutSeconds, or make the probe faster" $unready) -}}
{{- end -}}
{{- $starting := include "crosspod.startupProbe" . | fromYaml -}}
{{- $patience := mul ($starting.periodSeconds | default 10) $starting.failureThreshold -}}
{{- $startWait := include "crosspod.startWait" . | int64 -}}
{{- if le $patience $startWait -}}
{{- fail (printf "startupProbe.failureThreshold: the probe gives a pod %d s (periodSeconds x failureThreshold), but the pod may wait %d s for Redis or NATS (START_WAIT_SECONDS); raise it, or leave it out" $patience $startWait) -}}
{{- end -}}
{{- $least := int (include "crosspod.leastGrace" .) -}}
{{- if and (ne .Values.terminationGracePeriodSeconds nil) (lt (int .Values.terminationGracePeriodSeconds) $least) -}}
{{- fail (printf "terminationGracePeriodSeconds: must be at least %d (drain.preStopSeconds + drain.timeoutSeconds + 5), or Kubernetes kills pods while they drain" $least) -}}
{{- end -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- if and $budget.enabled (eq $budget.minAvailable nil) (eq $budget.maxUnavailable nil) -}}
{{- fail "podDisruptionBudget: give minAvailable or maxUnavailable, or set enabled to false" -}}
{{- end -}}
{{- if and $budget.enabled (include "crosspod.budget.isShut" .) -}}
{{- fail "podDisruptionBudget: would never allow an eviction, so no node could be drained; allow at least one pod to be unavailable at the minimum number of pods" -}}
{{- end -}}
{{- if and .Values.monitoring.scrapeAnnotations (or .Values.monitoring.serviceMonitor.enabled .Values.monitoring.podMonitor.enabled) -}}
{{- fail "monitoring.scrapeAnnotations: a monitor is enabled already, and with both Prometheus may scrape every pod twice; leave it out" -}}
{{- end -}}
{{- if and .Values.monitoring.serviceMonitor.enabled .Values.monitoring.podMonitor.enabled -}}
{{- fail "monitoring: enable serviceMonitor or podMonitor, not both; with both Prometheus scrapes every pod twice" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs: empty; name the Gateway of the route" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.hosts: empty; give at least one (host: '' matches any), or leave it out" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (eq .Values.ingress.preset "nginx-f5") -}}
{{- range .Values.ingress.hosts -}}
{{- if not .host -}}
{{- fail "ingress.hosts: every item needs a host; F5's controller ignores an Ingress without one" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "crosspod.validateUnused" . -}}
{{- $update := .Values.updateStrategy | default dict -}}
{{- if and (eq (default "" $update.type) "Recreate") $update.rollingUpdate -}}
{{- fail "updateStrategy.rollingUpdate: only for type RollingUpdate; set it to null" -}}
{{- end -}}
{{- end -}}
