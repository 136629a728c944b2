{{/* The name that labels carry. */}}
{{- define "chartroom.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of every object: the release's, with the chart's behind it unless it is in there already. */}}
{{- define "chartroom.fullname" -}}
{{- $name := include "chartroom.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that selectors use. They cannot be changed after the first install. */}}
{{- define "chartroom.selectorLabels" -}}
app.kubernetes.io/name: {{ include "chartroom.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "chartroom.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "chartroom.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* The name of the service account that the pods run under. */}}
{{- define "chartroom.serviceAccountName" -}}
{{- $own := ternary (include "chartroom.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{/* The Secret with the admin token, named or generated. */}}
{{- define "chartroom.adminSecretName" -}}
{{- default (printf "%s-admin" (include "chartroom.fullname" .)) .Values.adminToken.existingSecret -}}
{{- end -}}

{{/* The claim of the embedded mode's volume, named or made. */}}
{{- define "chartroom.claimName" -}}
{{- default (printf "%s-data" (include "chartroom.fullname" .)) .Values.persistence.existingClaim -}}
{{- end -}}

{{/* The image: the tag is the app version unless set, a digest wins over both. */}}
{{- define "chartroom.image" -}}
{{- $image := .Values.image -}}
{{- $tagged := printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- ternary (printf "%s@%s" $tagged $image.digest) $tagged (not (empty $image.digest)) -}}
{{- end -}}

{{/* How clients reach the server inside the cluster. */}}
{{- define "chartroom.scheme" -}}
{{- ternary "https" "http" (not (empty .Values.tls.secretName)) -}}
{{- end -}}
