{{/* Refuses values that Kubernetes would refuse in the middle of an upgrade, or silently drop. Renders nothing. */}}
{{- define "crosspod.validateObjects" -}}
{{- $name := include "crosspod.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "fullnameOverride: from the release's name, objects would be named %s, which is not a valid name of a Service (lowercase letters, digits and -, starting with a letter); give a name here" $name) -}}
{{- end -}}
{{- range $path, $image := dict "image" .Values.image "redis.image" .Values.redis.image -}}
{{- if regexMatch "[@\\s]|:[^/]*$" $image.repository -}}
{{- fail (printf "%s.repository: contains a tag, a digest or a login; give the tag as %s.tag, the digest as %s.digest, and the login by imagePullSecrets" $path $path $path) -}}
{{- end -}}
{{- end -}}
{{- include "crosspod.validateResources" (dict "path" "resources" "resources" .Values.resources) -}}
{{- include "crosspod.validateResources" (dict "path" "redis.resources" "resources" .Values.redis.resources) -}}
{{- include "crosspod.validateResources" (dict "path" "redis.sentinel.resources" "resources" .Values.redis.sentinel.resources) -}}
{{- $update := .Values.updateStrategy | default dict -}}
{{- $rolling := $update.rollingUpdate | default dict -}}
{{- range $name, $value := $rolling -}}
{{- if and (kindIs "string" $value) (not (regexMatch "^[0-9]+%$" $value)) -}}
{{- fail (printf "updateStrategy.rollingUpdate.%s: %s is neither a number nor a percentage; write 1 without quotes, or 25%%" $name $value) -}}
{{- end -}}
{{- end -}}
{{- if and (has (toString $rolling.maxSurge) (list "0" "0%")) (has (toString $rolling.maxUnavailable) (list "0" "0%")) -}}
{{- fail "updateStrategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so no pod could ever be replaced; raise one of them" -}}
{{- end -}}
{{- range .Values.service.loadBalancerSourceRanges -}}
{{- if not (regexMatch "^[0-9a-fA-F.:]+/[0-9]+$" .) -}}
{{- fail (printf "service.loadBalancerSourceRanges: %s is not an address range; write 10.0.0.0/8, or 10.0.0.1/32 for a single address" .) -}}
{{- end -}}
{{- end -}}
{{- include "crosspod.validateContexts" . -}}
{{- include "crosspod.validateLabels" . -}}
{{- include "crosspod.validateHosts" . -}}
{{- include "crosspod.validatePeers" . -}}
{{- end -}}

{{/* Refuses invalid resources, and requests above their limits: (dict "path" "resources" "resources" {…}) */}}
{{- define "crosspod.validateResources" -}}
{{- $path := .path -}}
{{- $resources := .resources | default dict -}}
{{- range $kind, $amounts := $resources -}}
{{- if not (has $kind (list "requests" "limits" "claims")) -}}
{{- fail (printf "%s.%s: write it under requests or limits" $path $kind) -}}
{{- end -}}
{{- if ne $kind "claims" -}}
{{- range $name, $amount := $amounts -}}
{{- if not (regexMatch "^[0-9]*\\.?[0-9]+([eE][0-9]+|[numkMGTPE]|[KMGTPE]i)?$" (toString $amount)) -}}
{{- fail (printf "%s.%s.%s: %v is not a quantity; write for example 512Mi or 1Gi of memory, 500m or 2 of CPU" $path $kind $name $amount) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $limits := $resources.limits | default dict -}}
{{- range $name, $amount := $resources.requests -}}
{{- $limit := index $limits $name -}}
{{- if and $limit (gt (include "crosspod.thousandths" $amount | int64) (include "crosspod.thousandths" $limit | int64)) -}}
{{- fail (printf "%s.requests.%s: %v is more than its limit (%v); lower it, or raise the limit" $path $name $amount $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses fields of a pod's security context in a container's, and the reverse. */}}
{{- define "crosspod.validateContexts" -}}
{{- $ofPods := list "fsGroup" "fsGroupChangePolicy" "supplementalGroups" "supplementalGroupsPolicy" "sysctls" -}}
{{- $ofContainers := list "allowPrivilegeEscalation" "capabilities" "privileged" "procMount" "readOnlyRootFilesystem" -}}
{{- range $prefix, $values := dict "" .Values "redis." .Values.redis -}}
{{- range $field, $_ := $values.podSecurityContext -}}
{{- if has $field $ofContainers -}}
{{- fail (printf "%spodSecurityContext.%s: this field belongs to containers; write it under %ssecurityContext" $prefix $field $prefix) -}}
{{- end -}}
{{- end -}}
{{- range $field, $_ := $values.securityContext -}}
{{- if has $field $ofPods -}}
{{- fail (printf "%ssecurityContext.%s: this field belongs to pods; write it under %spodSecurityContext" $prefix $field $prefix) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses invalid labels and node selectors. */}}
{{- define "crosspod.validateLabels" -}}
{{- $paths := list "commonLabels" "podLabels" "nodeSelector" "redis.podLabels" "redis.nodeSelector" "ingress.labels" "httpRoute.labels" "httpApi.service.labels" "httpApi.httpRoute.labels" -}}
{{- range list "serviceMonitor" "podMonitor" "prometheusRule" "dashboard" -}}{{- $paths = append $paths (printf "monitoring.%s.labels" .) -}}{{- end -}}
{{- range $path := $paths -}}
{{- $labels := $.Values -}}
{{- range splitList "." $path -}}{{- $labels = index ($labels | default dict) . -}}{{- end -}}
{{- range $name, $value := $labels -}}
{{- if not (regexMatch "^([a-z0-9.-]+/)?[a-zA-Z0-9]([-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$" $name) -}}
{{- fail (printf "%s: %s is not a valid label name; write at most 63 letters and digits, with - _ . between them" $path $name) -}}
{{- end -}}
{{- if not (regexMatch "^([a-zA-Z0-9]([-_.a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)?$" $value) -}}
{{- fail (printf "%s: the value of %s is not a valid label value; write at most 63 letters and digits, with - _ . between them" $path $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses invalid hosts. */}}
{{- define "crosspod.validateHosts" -}}
{{- $hosts := dict "httpRoute.hostnames" (.Values.httpRoute.hostnames | default list) "httpApi.httpRoute.hostnames" (.Values.httpApi.httpRoute.hostnames | default list) -}}
{{- $ofIngress := list -}}
{{- range .Values.ingress.hosts -}}{{- $ofIngress = append $ofIngress (.host | default "") -}}{{- end -}}
{{- $ofTls := list -}}
{{- range .Values.ingress.tls -}}{{- $ofTls = concat $ofTls (.hosts | default list) -}}{{- end -}}
{{- range $path, $all := merge $hosts (dict "ingress.hosts" $ofIngress "ingress.tls" $ofTls) -}}
{{- range $host := $all -}}
{{- if and $host (not (regexMatch "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" $host)) -}}
{{- fail (printf "%s: %s is not a host; write chat.example.com or *.example.com, in lowercase, without a scheme, a port or a path" $path $host) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses peers and rules of policies with unknown fields. Kubernetes would drop the field, and the rule would then allow
     everything. */}}
{{- define "crosspod.validatePeers" -}}
{{- range $path := list "clients" "operators" -}}
{{- range $peer := index $.Values.networkPolicy $path -}}
{{- if or (not $peer) (omit $peer "podSelector" "namespaceSelector" "ipBlock") -}}
{{- fail (printf "networkPolicy.%s: every item must be {namespaceSelector: …}, {podSelector: …} or {ipBlock: …}, as in a NetworkPolicy" $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $rule := .Values.networkPolicy.extraEgress -}}
{{- if omit $rule "to" "ports" -}}
{{- fail "networkPolicy.extraEgress: every item must be {to: […], ports: […]}, as in a NetworkPolicy" -}}
{{- end -}}
{{- end -}}
{{- end -}}
