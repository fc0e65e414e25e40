{{/* Settings that hold secrets. Each may be in the chart's Secret or in an existing one. */}}
{{- define "crosspod.secretNames" -}}
{{- list "JWT_SECRET" "JWT_SECRET_PREVIOUS" "API_KEYS" "WEBHOOK_SECRET" "BACKEND_SECRET" | toJson -}}
{{- end -}}

{{/* The place of each secret that the values name: {JWT_SECRET: {secret, key}}. A secret in the values wins. */}}
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

{{/* "true" if there is a key to check tokens with. */}}
{{- define "crosspod.tokenKeys" -}}
{{- $settings := .Values.settings | default dict -}}
{{- if or (hasKey (include "crosspod.secretPlaces" . | fromJson) "JWT_SECRET") $settings.JWKS_URL $settings.JWKS_FILE (has "connect" (splitList "," ($settings.BACKEND_EVENTS | toString | nospace))) -}}true{{- end -}}
{{- end -}}

{{/* "true" or "false" if the values say whether clients need a token, else empty. */}}
{{- define "crosspod.saidAuthentication" -}}
{{- $said := (.Values.authentication).enabled -}}
{{- if kindIs "invalid" $said -}}
{{- with (.Values.settings).AUTH_ENABLED | toString | lower -}}{{- if has . (list "true" "false") -}}{{- . -}}{{- end -}}{{- end -}}
{{- else -}}
{{- $said -}}
{{- end -}}
{{- end -}}

{{/* AUTH_ENABLED of the pods: as the values say, else "true" if they name a key, else empty. Pods do not derive it from the
     keys they find, because a missing key would then let every client in. */}}
{{- define "crosspod.authentication" -}}
{{- $said := include "crosspod.saidAuthentication" . -}}
{{- $places := include "crosspod.secretPlaces" . | fromJson -}}
{{- if $said -}}
{{- $said -}}
{{- else if or (include "crosspod.tokenKeys" .) (hasKey $places "API_KEYS") -}}
true
{{- end -}}
{{- end -}}

{{/* "true" if clients need a token. */}}
{{- define "crosspod.authenticated" -}}
{{- include "crosspod.authentication" . | default "false" -}}
{{- end -}}

{{/* "true" if the HTTP API needs a token or key. */}}
{{- define "crosspod.apiGuarded" -}}
{{- if eq (include "crosspod.authenticated" .) "true" -}}true
{{- else -}}{{- hasKey (include "crosspod.secretPlaces" . | fromJson) "API_KEYS" -}}
{{- end -}}
{{- end -}}

{{/* Refuses values that leave open whether clients need a token, or that lack the key for it. Renders nothing. */}}
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
{{- fail "authentication.enabled: no key to check tokens with; give secrets.JWT_SECRET (or name it in secrets.existingSecretKeys), settings.JWKS_URL, settings.JWKS_FILE, or connect in settings.BACKEND_EVENTS, or set it to false if any client may connect without a token" -}}
{{- end -}}
{{- $places := include "crosspod.secretPlaces" . | fromJson -}}
{{- if and (hasKey $places "JWT_SECRET_PREVIOUS") (not (include "crosspod.tokenKeys" .)) -}}
{{- fail "secrets.JWT_SECRET_PREVIOUS: no key that replaces it; give secrets.JWT_SECRET (or name it in secrets.existingSecretKeys), settings.JWKS_URL or settings.JWKS_FILE, or remove it" -}}
{{- end -}}
{{- if and (.Values.settings).WEBHOOK_URL (not (hasKey $places "WEBHOOK_SECRET")) -}}
{{- fail "settings.WEBHOOK_URL: no key to sign webhooks with; give secrets.WEBHOOK_SECRET, or name it in secrets.existingSecretKeys" -}}
{{- end -}}
{{- if and (.Values.settings).BACKEND_URL (not (hasKey $places "BACKEND_SECRET")) -}}
{{- fail "settings.BACKEND_URL: no key to sign questions to the backend with; give secrets.BACKEND_SECRET, or name it in secrets.existingSecretKeys" -}}
{{- end -}}
{{- $guests := eq ((.Values.settings).GUEST_LOGIN | toString | lower) "true" -}}
{{- if and $guests (eq (include "crosspod.authentication" .) "true") (not (hasKey $places "JWT_SECRET")) -}}
{{- fail "settings.GUEST_LOGIN: no key to sign guest tokens with; give secrets.JWT_SECRET, or name it in secrets.existingSecretKeys" -}}
{{- end -}}
{{- include "crosspod.validateExistingSecret" . -}}
{{- end -}}

{{/* Refuses an existing Secret that lacks a key, because pods would wait for the key in the middle of an upgrade. A Secret
     that does not exist yet may be created later. Renders nothing. */}}
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
