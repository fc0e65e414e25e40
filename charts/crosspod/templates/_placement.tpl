{{/* Which nodes the gateway's pods prefer: with the chart's own preference another zone than the pods that are there. Not a
     second spread constraint: where a node lacks the label of one of several such, the scheduler scores it for none of
     them, and pods are not spread over nodes either. */}}
{{- define "crosspod.affinity" -}}
{{- if .Values.affinity -}}
{{- toYaml .Values.affinity -}}
{{- else -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: topology.kubernetes.io/zone
        labelSelector:
          matchLabels:
            {{- include "crosspod.selectorLabels" (dict "root" . "component" "gateway") | nindent 12 }}
{{- end -}}
{{- end -}}

{{/* Taints that do not matter, and for how long the gateway's pods stay on a node that is lost. What is given for a taint
     wins. */}}
{{- define "crosspod.tolerations" -}}
{{- $tolerations := .Values.tolerations | default list -}}
{{- $seconds := .Values.lostNodeSeconds -}}
{{- if ne $seconds nil -}}
{{- range $key := list "node.kubernetes.io/not-ready" "node.kubernetes.io/unreachable" -}}
{{- $given := false -}}
{{- range $.Values.tolerations -}}
{{- if and (or (eq (.key | default "") $key) (not .key)) (has (.effect | default "NoExecute") (list "NoExecute" "")) -}}{{- $given = true -}}{{- end -}}
{{- end -}}
{{- if not $given -}}
{{- $tolerations = append $tolerations (dict "key" $key "operator" "Exists" "effect" "NoExecute" "tolerationSeconds" (int $seconds)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $tolerations -}}{{- toYaml $tolerations -}}{{- end -}}
{{- end -}}

{{/* "true" where pods tell Prometheus by annotations where to look: where nobody says so, unless a monitor does. */}}
{{- define "crosspod.annotated" -}}
{{- $monitoring := .Values.monitoring -}}
{{- if eq $monitoring.scrapeAnnotations nil -}}
{{- not (or $monitoring.serviceMonitor.enabled $monitoring.podMonitor.enabled) -}}
{{- else -}}{{- $monitoring.scrapeAnnotations -}}
{{- end -}}
{{- end -}}

{{/* Constraints that are given; one that does not say which pods it counts counts those of the component, and not none, as
     Kubernetes would: (dict "root" $ "component" "gateway" "given" list) */}}
{{- define "crosspod.spread" -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "crosspod.selectorLabels" . | fromYaml)) -}}
{{- $constraints := list -}}
{{- range .given -}}
{{- if hasKey . "labelSelector" -}}{{- $constraints = append $constraints . -}}
{{- else -}}{{- $constraints = append $constraints (merge dict . $own) -}}
{{- end -}}
{{- end -}}
{{- toYaml $constraints -}}
{{- end -}}
