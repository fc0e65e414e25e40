{{/* Refuses values that would have no effect because another value is missing. Renders nothing. */}}
{{- define "crosspod.validateUnused" -}}
{{- $broker := include "crosspod.broker" . -}}
{{- $redis := .Values.externalRedis -}}
{{- $login := compact (list $redis.username $redis.password $redis.sentinelPassword $redis.existingSecret $redis.tls.enabled $redis.tls.existingSecret) -}}
{{- if and (or $login (ne $redis.db nil)) (has $broker (list "nats" "none")) -}}
{{- fail "externalRedis: has a login or TLS, but no address; give url, urlKey, sentinels or cluster, or leave it out" -}}
{{- end -}}
{{- if and (or $redis.sentinelPassword $redis.sentinelPasswordKey) (ne $broker "sentinel") -}}
{{- fail "externalRedis.sentinelPassword, sentinelPasswordKey: only for Sentinels; give externalRedis.sentinels, or leave them out" -}}
{{- end -}}
{{- $nats := .Values.externalNats -}}
{{- if and (or $nats.existingSecret $nats.credentialsKey $nats.tls.existingSecret) (ne $broker "nats") -}}
{{- fail "externalNats: has a login or TLS, but no address; give servers or urlKey, or leave it out" -}}
{{- end -}}
{{- $service := .Values.service -}}
{{- if and (eq $service.type "ClusterIP") (or $service.nodePort $service.externalTrafficPolicy) -}}
{{- fail "service.nodePort, externalTrafficPolicy: only for type NodePort or LoadBalancer; set service.type, or leave them out" -}}
{{- end -}}
{{- if and (ne $service.type "LoadBalancer") (or $service.loadBalancerClass $service.loadBalancerSourceRanges) -}}
{{- fail "service.loadBalancerClass, loadBalancerSourceRanges: only for type LoadBalancer; set service.type, or leave them out" -}}
{{- end -}}
{{- if and .Values.serviceAccount.annotations (not .Values.serviceAccount.create) -}}
{{- fail "serviceAccount.annotations: only for an account that the chart creates; annotate your own account, or set serviceAccount.create=true" -}}
{{- end -}}
{{- $ingress := .Values.ingress -}}
{{- if and $ingress.enabled $ingress.traefikObjects (ne $ingress.preset "traefik") -}}
{{- fail "ingress.traefikObjects: only for Traefik; set ingress.preset=traefik, or leave it out" -}}
{{- end -}}
{{- end -}}
