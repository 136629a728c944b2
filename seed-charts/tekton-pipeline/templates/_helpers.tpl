{{/*
The names of objects are fixed: Tekton's programs look for each other by them, and one cluster has one Tekton.
*/}}

{{/* Labels that selectors use. Arguments: root, name, component, partOf. */}}
{{- define "tekton.selectorLabels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: {{ .partOf }}
{{- end -}}

{{/* Labels of every object; Tekton's webhooks select ConfigMaps by `part-of`. */}}
{{- define "tekton.labels" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: {{ .partOf }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The reference of an image: its tag, its digest, or both; neither would be `latest`. */}}
{{- define "tekton.image" -}}
{{- if not (or .tag .digest) -}}
{{- fail (printf "the image `%s` needs a `tag` or a `digest`" .repository) -}}
{{- end -}}
{{- .repository -}}
{{- with .tag }}:{{ . }}{{ end -}}
{{- with .digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/*
A deployment up to its container's image and rights; what follows in a template goes on with that container.
Arguments: root, app, name, component, partOf, settings.
*/}}
{{- define "tekton.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .app }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    app.kubernetes.io/name: {{ .name }}
    app.kubernetes.io/component: {{ .component }}
    {{- include "tekton.labels" . | nindent 4 }}
spec:
  {{- if hasKey .settings "replicas" }}
  replicas: {{ .settings.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "tekton.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      {{- with .root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      labels:
        app: {{ .app }}
        {{- include "tekton.selectorLabels" . | nindent 8 }}
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ .app }}
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .app }}
          image: {{ include "tekton.image" .settings.image | quote }}
          {{- with .settings.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          securityContext:
            allowPrivilegeEscalation: false
            runAsNonRoot: true
            runAsUser: 65532
            runAsGroup: 65532
            seccompProfile:
              type: RuntimeDefault
            capabilities:
              drop: [ALL]
{{- end -}}

{{/* A service in front of one part. Arguments: root, app, name, component, partOf, ports. */}}
{{- define "tekton.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .app }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    app: {{ .app }}
    {{- include "tekton.labels" . | nindent 4 }}
spec:
  selector:
    {{- include "tekton.selectorLabels" . | nindent 4 }}
  ports:
    {{- range .ports }}
    - {name: {{ .name }}, port: {{ .port }}, targetPort: {{ .target }}}
    {{- end }}
{{- end -}}

{{/* A service account with roles of the cluster and of the namespace. Arguments: root, partOf, app, clusterRoles, roles. */}}
{{- define "tekton.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .app }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tekton.labels" . | nindent 4 }}
{{- $account := . }}
{{- range $kind, $roles := dict "ClusterRole" .clusterRoles "Role" .roles }}
{{- range $roles }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ if hasPrefix $account.app . }}{{ . }}{{ else }}{{ $account.app }}-{{ trimPrefix "tekton-" . }}{{ end }}
  {{- if eq $kind "Role" }}
  namespace: {{ $account.root.Release.Namespace }}
  {{- end }}
  labels:
    {{- include "tekton.labels" $account | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ $kind }}, name: {{ . }}}
subjects:
  - {kind: ServiceAccount, name: {{ $account.app }}, namespace: {{ $account.root.Release.Namespace }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* What everybody who is signed in may read: the version. Arguments: root, partOf, config. */}}
{{- define "tekton.info" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .partOf }}-info
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tekton.labels" . | nindent 4 }}
rules:
  - apiGroups: [""]
    resources: [configmaps]
    resourceNames: [{{ .config }}]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .partOf }}-info
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tekton.labels" . | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .partOf }}-info}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}
{{- end -}}

{{/* The roles of people: who may edit a namespace may edit Tekton's resources in it. Arguments: root, partOf, name, group, resources. */}}
{{- define "tekton.aggregate" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .name }}-edit
  labels:
    rbac.authorization.k8s.io/aggregate-to-admin: "true"
    rbac.authorization.k8s.io/aggregate-to-edit: "true"
    {{- include "tekton.labels" . | nindent 4 }}
rules:
  - apiGroups: [{{ .group }}]
    resources: {{ .resources }}
    verbs: [create, delete, deletecollection, get, list, patch, update, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .name }}-view
  labels:
    rbac.authorization.k8s.io/aggregate-to-view: "true"
    {{- include "tekton.labels" . | nindent 4 }}
rules:
  - apiGroups: [{{ .group }}]
    resources: {{ .resources }}
    verbs: [get, list, watch]
{{- end -}}

{{/* The webhook configurations of one part, whose rules and certificate its webhook fills in. Arguments: root, partOf, app, domain. */}}
{{- define "tekton.admission" -}}
{{- $part := . }}
{{- range $name, $kind := dict
  (printf "validation.webhook.%s" .domain) "ValidatingWebhookConfiguration"
  (printf "webhook.%s" .domain) "MutatingWebhookConfiguration"
  (printf "config.webhook.%s" .domain) "ValidatingWebhookConfiguration"
}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ $name }}
  labels:
    {{- include "tekton.labels" $part | nindent 4 }}
webhooks:
  - name: {{ $name }}
    admissionReviewVersions: [v1]
    clientConfig:
      service: {name: {{ $part.app }}, namespace: {{ $part.root.Release.Namespace }}}
    failurePolicy: Fail
    sideEffects: None
    {{- if hasPrefix "config." $name }}
    objectSelector:
      matchLabels:
        app.kubernetes.io/part-of: {{ $part.partOf }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* A ConfigMap of texts. Arguments: root, partOf, name, data. */}}
{{- define "tekton.config" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tekton.labels" . | nindent 4 }}
{{- with .data }}
data:
  {{- range $key, $value := . }}
  {{ $key }}: {{ $value | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* How zap, the logger of all parts, writes. */}}
{{- define "tekton.logger" -}}
{"level":"info","development":false,"sampling":{"initial":100,"thereafter":100},"outputPaths":["stdout"],"errorOutputPaths":["stderr"],"encoding":"json","encoderConfig":{"timeKey":"ts","levelKey":"level","nameKey":"logger","callerKey":"caller","messageKey":"msg","stacktraceKey":"stacktrace","lineEnding":"","levelEncoder":"","timeEncoder":"iso8601","durationEncoder":"","callerEncoder":""}}
{{- end -}}
