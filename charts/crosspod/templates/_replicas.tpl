{{/* How many pods the Deployment asks for; empty where that is left to the autoscaler. Kubernetes takes one for none: so
     the number that runs is kept when an autoscaler is turned on, until it has taken the field over (then Helm may let go
     of it), and when one is turned off. Where Helm does not see the cluster nothing runs, as far as it knows. */}}
{{- define "crosspod.replicas" -}}
{{- $name := include "crosspod.fullname" . -}}
{{- $running := lookup "apps/v1" "Deployment" .Release.Namespace $name -}}
{{- $count := dig "spec" "replicas" 0 $running | int -}}
{{- if or .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- if and (gt $count 0) (not (include "crosspod.replicasTaken" $running)) -}}{{- $count -}}{{- end -}}
{{- else if and (gt $count 0) (ne $count (int .Values.replicaCount)) (include "crosspod.autoscaler" .) -}}
{{- $count -}}
{{- else -}}
{{- .Values.replicaCount -}}
{{- end -}}
{{- end -}}

{{/* "true" where somebody scales the Deployment by other ways than Helm, and Helm applies on the server, so that the field
     stays when Helm leaves it out. Without the server (Helm 3, and releases that it made) it would not. */}}
{{- define "crosspod.replicasTaken" -}}
{{- $scaled := false -}}
{{- $onServer := false -}}
{{- range dig "metadata" "managedFields" list . -}}
{{- if eq (dig "subresource" "" .) "scale" -}}{{- $scaled = true -}}{{- end -}}
{{- if and (eq (dig "operation" "" .) "Apply") (eq (dig "subresource" "" .) "") -}}{{- $onServer = true -}}{{- end -}}
{{- end -}}
{{- if and $scaled $onServer -}}true{{- end -}}
{{- end -}}

{{/* "true" where an autoscaler of this release is in the cluster. */}}
{{- define "crosspod.autoscaler" -}}
{{- $name := include "crosspod.fullname" . -}}
{{- if or (lookup "autoscaling/v2" "HorizontalPodAutoscaler" .Release.Namespace $name) (lookup "autoscaling/v2" "HorizontalPodAutoscaler" .Release.Namespace (printf "keda-hpa-%s" $name)) -}}true{{- end -}}
{{- end -}}
