{{/* Settings that hold secrets; each may be in the chart's Secret or in an existing one. */}}
{{- define "crosspod.secretNames" -}}
{{- list "JWT_SECRET" "API_KEYS" "WEBHOOK_SECRET" | toJson -}}
{{- end -}}

{{/* Where each secret that the values name is: {JWT_SECRET: {secret, key}}. What is given among the values wins. */}}
{{- define "crosspod.secretPlaces" -}}
{{- $secrets := .Values.secrets | default dict -}}
{{- $keys := $secrets.existingSecretKeys -}}
{{- if kindIs "invalid" $keys -}}{{- $keys = list "JWT_SECRET" "API_KEYS" -}}{{- end -}}
{{- $places := dict -}}
{{- range $name := include "crosspod.secretNames" . | fromJsonArray -}}
{{- if index $secrets $name -}}
{{- $_ := set $places $name (dict "secret" (include "crosspod.fullname" $) "key" $name) -}}
{{- else if and $secrets.existingSecret (has $name $keys) -}}
{{- $key := index ($secrets.existingSecretKeyNames | default dict) $name | default $name -}}
{{- $_ := set $places $name (dict "secret" $secrets.existingSecret "key" $key) -}}
{{- end -}}
{{- end -}}
{{- toJson $places -}}
{{- end -}}

{{/* "true" where there is something to check tokens with. */}}
{{- define "crosspod.tokenKeys" -}}
{{- $settings := .Values.settings | default dict -}}
{{- if or (hasKey (include "crosspod.secretPlaces" . | fromJson) "JWT_SECRET") $settings.JWKS_URL $settings.JWKS_FILE -}}true{{- end -}}
{{- end -}}

{{/* "true" or "false" where somebody says whether a token is needed, else empty. */}}
{{- define "crosspod.saidAuthentication" -}}
{{- $said := (.Values.authentication).enabled -}}
{{- if kindIs "invalid" $said -}}
{{- with (.Values.settings).AUTH_ENABLED | toString | lower -}}{{- if has . (list "true" "false") -}}{{- . -}}{{- end -}}{{- end -}}
{{- else -}}
{{- $said -}}
{{- end -}}
{{- end -}}

{{/* What the pods are told of whether a token is needed: what is said, else "true" as soon as a key is named. They do not
     derive it from the keys that they find: a key that is missing would let everybody in. Empty where there is no word
     of any key. */}}
{{- define "crosspod.authentication" -}}
{{- $said := include "crosspod.saidAuthentication" . -}}
{{- $places := include "crosspod.secretPlaces" . | fromJson -}}
{{- if $said -}}
{{- $said -}}
{{- else if or (include "crosspod.tokenKeys" .) (hasKey $places "API_KEYS") -}}
true
{{- end -}}
{{- end -}}

{{/* "true" where a token is needed to connect. */}}
{{- define "crosspod.authenticated" -}}
{{- include "crosspod.authentication" . | default "false" -}}
{{- end -}}

{{/* "true" where the HTTP API is not open to everybody. */}}
{{- define "crosspod.apiGuarded" -}}
{{- if eq (include "crosspod.authenticated" .) "true" -}}true
{{- else -}}{{- hasKey (include "crosspod.secretPlaces" . | fromJson) "API_KEYS" -}}
{{- end -}}
{{- end -}}

{{/* Refuses what would leave it to chance who may come. Renders nothing. */}}
{{- define "crosspod.validateAuthentication" -}}
{{- $secrets := .Values.secrets | default dict -}}
{{- $written := (.Values.settings).AUTH_ENABLED | toString | lower -}}
{{- $said := (.Values.authentication).enabled -}}
{{- if and (has $written (list "true" "false")) (not (kindIs "invalid" $said)) (ne $written (toString $said)) -}}
{{- fail "authentication.enabled: settings.AUTH_ENABLED says the opposite; remove that setting" -}}
{{- end -}}
{{- if and $secrets.existingSecret (kindIs "slice" $secrets.existingSecretKeys) (not $secrets.existingSecretKeys) -}}
{{- fail "secrets.existingSecretKeys: empty, so no key of secrets.existingSecret would be used; list the keys that it has" -}}
{{- end -}}
{{- if and (eq (include "crosspod.authentication" .) "true") (not (include "crosspod.tokenKeys" .)) -}}
{{- fail "authentication.enabled: no key to check tokens with; give secrets.JWT_SECRET (or name it in secrets.existingSecretKeys), settings.JWKS_URL or settings.JWKS_FILE, or set it to false if any client may connect without a token" -}}
{{- end -}}
{{- $places := include "crosspod.secretPlaces" . | fromJson -}}
{{- if and (.Values.settings).WEBHOOK_URL (not (hasKey $places "WEBHOOK_SECRET")) -}}
{{- fail "settings.WEBHOOK_URL: no key to sign webhooks with; give secrets.WEBHOOK_SECRET, or name it in secrets.existingSecretKeys" -}}
{{- end -}}
{{- $guests := eq ((.Values.settings).GUEST_LOGIN | toString | lower) "true" -}}
{{- if and $guests (eq (include "crosspod.authentication" .) "true") (not (hasKey $places "JWT_SECRET")) -}}
{{- fail "settings.GUEST_LOGIN: no key to sign guest tokens with; give secrets.JWT_SECRET, or name it in secrets.existingSecretKeys" -}}
{{- end -}}
{{- include "crosspod.validateExistingSecret" . -}}
{{- end -}}

{{/* Refuses a Secret that is there and lacks a key: pods would wait for it, in the middle of an upgrade. One that is not
     there yet may come later. Renders nothing. */}}
{{- define "crosspod.validateExistingSecret" -}}
{{- $name := (.Values.secrets).existingSecret -}}
{{- if $name -}}
{{- with lookup "v1" "Secret" .Release.Namespace $name -}}
{{- $found := .data | default dict -}}
{{- range $place := include "crosspod.secretPlaces" $ | fromJson -}}
{{- if and (eq $place.secret $name) (not (index $found $place.key)) -}}
{{- fail (printf "secrets.existingSecret: the Secret %s has no %s, or an empty one; add the key, or list in secrets.existingSecretKeys only keys that the Secret has (it has: %s)" $name $place.key (keys $found | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
