{{/* A quantity of Kubernetes (512Mi, 1.5G, 1e9) in whole bytes; 0 if it is not a quantity. */}}
{{- define "crosspod.bytes" -}}
{{- div (include "crosspod.thousandths" . | int64) 1000 -}}
{{- end -}}

{{/* The same in thousandths, as CPU is counted. */}}
{{- define "crosspod.thousandths" -}}
{{- $units := dict "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "m" 0.001 "" 1.0 -}}
{{- $text := . | toString -}}
{{- $number := regexFind "^[0-9.]+([eE][0-9]+)?" $text -}}
{{- $unit := trimPrefix $number $text -}}
{{- if and $number (hasKey $units $unit) -}}{{- round (mulf (float64 $number) (get $units $unit) 1000.0) 0 | int64 -}}{{- else -}}0{{- end -}}
{{- end -}}

{{/* A size of redis.conf (256mb, 1g, 1000) in bytes. */}}
{{- define "crosspod.redis.bytes" -}}
{{- $units := dict "kb" 1024 "mb" 1048576 "gb" 1073741824 "k" 1000 "m" 1000000 "g" 1000000000 "" 1 -}}
{{- $text := . | toString -}}
{{- $number := regexFind "^[0-9]+" $text -}}
{{- mul (int64 $number) (get $units (trimPrefix $number $text)) -}}
{{- end -}}

{{/* "true" if the gateway's PodDisruptionBudget allows no eviction at the minimum number of pods, else empty. Percentages
     are rounded up, as in Kubernetes. */}}
{{- define "crosspod.budget.isShut" -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- $pods := int64 .Values.replicaCount -}}
{{- if .Values.autoscaling.enabled -}}{{- $pods = int64 .Values.autoscaling.minReplicas -}}
{{- else if .Values.keda.enabled -}}{{- $pods = int64 .Values.keda.minReplicas -}}
{{- end -}}
{{- $bound := ternary $budget.maxUnavailable $budget.minAvailable (eq $budget.minAvailable nil) | toString -}}
{{- $number := int64 (trimSuffix "%" $bound) -}}
{{- if hasSuffix "%" $bound -}}{{- $number = divf (mul $number $pods) 100 | ceil | int64 -}}{{- end -}}
{{- if eq $budget.minAvailable nil -}}
{{- if eq $number 0 -}}true{{- end -}}
{{- else if and (ge $number $pods) (gt $pods 0) -}}true
{{- end -}}
{{- end -}}
