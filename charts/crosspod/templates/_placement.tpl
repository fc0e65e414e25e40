{{/* Affinity of the gateway's pods. By default they prefer zones without other pods of the gateway. This is not a second
     spread constraint, because the scheduler ignores all soft constraints on a node that lacks the label of one of them,
     and pods would then not be spread over nodes either. */}}
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

{{/* Tolerations, including how long the gateway's pods stay on a lost node. Tolerations from the values win. */}}
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

{{/* "true" if pods have annotations for Prometheus: by default unless a monitor is enabled. */}}
{{- define "crosspod.annotated" -}}
{{- $monitoring := .Values.monitoring -}}
{{- if eq $monitoring.scrapeAnnotations nil -}}
{{- not (or $monitoring.serviceMonitor.enabled $monitoring.podMonitor.enabled) -}}
{{- else -}}{{- $monitoring.scrapeAnnotations -}}
{{- end -}}
{{- end -}}

{{/* Spread constraints from the values. One without a labelSelector counts the pods of the component; Kubernetes would count
     none: (dict "root" $ "component" "gateway" "given" list) */}}
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
