{{/* The Deployment's `replicas`; empty if an autoscaler owns the field. Kubernetes reads a missing field as 1. So the chart
     keeps the running number when an autoscaler is turned on, until the autoscaler owns the field, and when one is turned
     off. If Helm does not see the cluster, it finds no running pods. */}}
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

{{/* "true" if another manager scaled the Deployment and Helm uses server-side apply, so that the field stays when Helm
     leaves it out. With client-side apply (Helm 3, and releases it created) the field would be reset. */}}
{{- define "crosspod.replicasTaken" -}}
{{- $scaled := false -}}
{{- $onServer := false -}}
{{- range dig "metadata" "managedFields" list . -}}
{{- if eq (dig "subresource" "" .) "scale" -}}{{- $scaled = true -}}{{- end -}}
{{- if and (eq (dig "operation" "" .) "Apply") (eq (dig "subresource" "" .) "") -}}{{- $onServer = true -}}{{- end -}}
{{- end -}}
{{- if and $scaled $onServer -}}true{{- end -}}
{{- end -}}

{{/* "true" if an autoscaler of this release exists in the cluster. */}}
{{- define "crosspod.autoscaler" -}}
{{- $name := include "crosspod.fullname" . -}}
{{- if or (lookup "autoscaling/v2" "HorizontalPodAutoscaler" .Release.Namespace $name) (lookup "autoscaling/v2" "HorizontalPodAutoscaler" .Release.Namespace (printf "keda-hpa-%s" $name)) -}}true{{- end -}}
{{- end -}}
