{{/*
The names of objects are fixed: Knative's programs look for each other by them, and one cluster has one Knative.
*/}}

{{/* Labels of every object; `component` is also what the webhooks select ConfigMaps by. */}}
{{- define "knative.labels" -}}
app.kubernetes.io/name: knative-serving
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ trimPrefix "v" .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The reference of an image: its tag, its digest, or both; neither would be `latest`. */}}
{{- define "knative.image" -}}
{{- if not (or .tag .digest) -}}
{{- fail (printf "the image `%s` needs a `tag` or a `digest`" .repository) -}}
{{- end -}}
{{- .repository -}}
{{- with .tag }}:{{ . }}{{ end -}}
{{- with .digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* What every container may not do. */}}
{{- define "knative.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The settings of pods that hold for all parts; `app` is the part. */}}
{{- define "knative.scheduling" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
affinity:
  {{- if .root.Values.affinity }}
  {{- toYaml .root.Values.affinity | nindent 2 }}
  {{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              app: {{ .app }}
  {{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
A deployment of one part of Knative Serving, up to the environment of its container; what follows in a template goes on
with that container. Arguments: root, app, component, settings, evict (whether the cluster autoscaler may move the pod),
domain (of its metrics), and environment (more variables, by name).
*/}}
{{- define "knative.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .app }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "knative.labels" . | nindent 4 }}
spec:
  {{- if hasKey .settings "replicas" }}
  replicas: {{ .settings.replicas }}
  {{- end }}
  selector:
    matchLabels:
      app: {{ .app }}
  template:
    metadata:
      annotations:
        cluster-autoscaler.kubernetes.io/safe-to-evict: {{ .evict | quote }}
        {{- with .root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      labels:
        app: {{ .app }}
        role: {{ .app }}
        {{- include "knative.labels" . | nindent 8 }}
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: controller
      {{- include "knative.scheduling" . | nindent 6 }}
      containers:
        - name: {{ .app }}
          image: {{ include "knative.image" .settings.image | quote }}
          {{- with .settings.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          securityContext:
            {{- include "knative.securityContext" . | nindent 12 }}
          env:
            - name: POD_NAME
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
            - name: POD_IP
              valueFrom: {fieldRef: {fieldPath: status.podIP}}
            - name: SYSTEM_NAMESPACE
              valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
            - name: CONFIG_LOGGING_NAME
              value: config-logging
            - name: CONFIG_OBSERVABILITY_NAME
              value: config-observability
            - name: METRICS_DOMAIN
              value: {{ .domain }}
            {{- range $name, $value := .environment }}
            - name: {{ $name }}
              value: {{ $value | quote }}
            {{- end }}
{{- end -}}

{{/* The probe of a webhook's port. */}}
{{- define "knative.webhookProbe" -}}
periodSeconds: 1
httpGet:
  scheme: HTTPS
  port: 8443
  httpHeaders:
    - {name: k-kubelet-probe, value: webhook}
{{- end -}}

{{/* A service in front of one part. Arguments: root, app, component, name, ports (name and pair of ports each). */}}
{{- define "knative.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    app: {{ .app }}
    {{- include "knative.labels" . | nindent 4 }}
spec:
  selector:
    app: {{ .app }}
  ports:
    - {name: http-metrics, port: 9090, targetPort: 9090}
    - {name: http-profiling, port: 8008, targetPort: 8008}
    {{- range .ports }}
    - {name: {{ .name }}, port: {{ .port }}, targetPort: {{ .target }}}
    {{- end }}
{{- end -}}

{{/* How many pods of one part run, and how many may be away at once. Arguments: root, app, component, settings. */}}
{{- define "knative.scaling" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .app }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "knative.labels" . | nindent 4 }}
spec:
  minReplicas: {{ .settings.minReplicas }}
  maxReplicas: {{ .settings.maxReplicas }}
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .app }}}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 100}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .app }}-pdb
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "knative.labels" . | nindent 4 }}
spec:
  minAvailable: 80%
  selector:
    matchLabels:
      app: {{ .app }}
{{- end -}}
