{{/* Refuses invalid values of an autoscaler. Kubernetes counts a pod that does not start as one without connections: with
     m full pods and one that does not start, it adds pods only if m x MAX_CONNECTIONS exceeds (m + 1) x target by more
     than its tolerance of a tenth. */}}
{{- define "crosspod.scaling.validate" -}}
{{- $most := int64 (ternary 10000 (.Values.settings).MAX_CONNECTIONS (has (.Values.settings).MAX_CONNECTIONS (list nil ""))) -}}
{{- range $name := list "autoscaling" "keda" -}}
{{- $values := index $.Values $name -}}
{{- if $values.enabled -}}
{{- $least := int64 $values.minReplicas -}}
{{- $target := sub (div (mul $most $least 10) (mul 11 (add1 $least))) 1 -}}
{{- if eq $values.targetConnections nil -}}
{{- fail (printf "%s.targetConnections: empty; give it a number, or leave it out" $name) -}}
{{- end -}}
{{- if gt (int64 $values.targetConnections) $target -}}
{{- fail (printf "%s.targetConnections: must be at most %d, because a pod takes %d connections (MAX_CONNECTIONS) and at least %d pods run (minReplicas); with more, a single pod that does not start would keep the autoscaler from adding pods while all others are full" $name $target $most $least) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $requests := (.Values.resources | default dict).requests | default dict -}}
{{- $limits := (.Values.resources | default dict).limits | default dict -}}
{{- $percent := .Values.autoscaling.targetCPUUtilizationPercentage -}}
{{- if and .Values.autoscaling.enabled (ne $percent nil) (not (or $requests.cpu $limits.cpu)) -}}
{{- fail "autoscaling.targetCPUUtilizationPercentage: a percentage of resources.requests.cpu, which is empty; set that request" -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- range .Values.autoscaling.metrics -}}
{{- $resource := .resource | default dict -}}
{{- $target := $resource.target | default dict -}}
{{- if and (eq (default "" .type) "Resource") (eq (default "" $target.type) "Utilization") (not (or (index $requests $resource.name) (index $limits $resource.name))) -}}
{{- fail (printf "autoscaling.metrics: an item is a percentage of resources.requests.%s, which is empty; set that request" $resource.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.keda.enabled -}}
{{- range .Values.keda.triggers -}}
{{- if and (has .type (list "cpu" "memory")) (eq (default "Utilization" .metricType) "Utilization") (not (or (index $requests .type) (index $limits .type))) -}}
{{- fail (printf "keda.triggers: an item is a percentage of resources.requests.%s, which is empty; set that request" .type) -}}
{{- end -}}
{{- range $name, $value := .metadata -}}
{{- if not (kindIs "string" $value) -}}
{{- fail (printf "keda.triggers: the value of %s is not a string; put it in quotes" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
