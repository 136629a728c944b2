{{/* The name that labels carry. */}}
{{- define "keepalived.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of every object: the release's, with the chart's behind it unless it is in there already. */}}
{{- define "keepalived.fullname" -}}
{{- $name := include "keepalived.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that selectors use. They cannot be changed after the first install. */}}
{{- define "keepalived.selectorLabels" -}}
app.kubernetes.io/name: {{ include "keepalived.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "keepalived.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "keepalived.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* The name of the service account that the pods run under. */}}
{{- define "keepalived.serviceAccountName" -}}
{{- $own := ternary (include "keepalived.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $own .Values.serviceAccount.name -}}
{{- end -}}

{{/* The image: the tag is the app version unless set, a digest wins over both. */}}
{{- define "keepalived.image" -}}
{{- $image := .Values.image -}}
{{- $tagged := printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- ternary (printf "%s@%s" $tagged $image.digest) $tagged (not (empty $image.digest)) -}}
{{- end -}}
