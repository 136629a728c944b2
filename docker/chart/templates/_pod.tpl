{{/* The pod of both modes. */}}
{{- define "chartroom.pod" -}}
metadata:
  labels:
    {{- include "chartroom.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # The file is read once: another configuration needs other pods.
    checksum/config: {{ .Values.config | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "chartroom.serviceAccountName" . }}
  automountServiceAccountToken: false
  # The variables they add begin with CHARTROOM_, as the server's own.
  enableServiceLinks: false
  # The pause before the signal, the grace after it, and time to close the stores.
  terminationGracePeriodSeconds: {{ add .Values.shutdownGraceSeconds 15 }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and (eq .Values.mode "production") .Values.migrate.enabled }}
  initContainers:
    - name: migrate
      {{- include "chartroom.container" . | nindent 6 }}
      args: [migrate]
  {{- end }}
  containers:
    - name: chartroom
      {{- include "chartroom.container" . | nindent 6 }}
      args: [serve]
      ports:
        - name: http
          containerPort: 8080
      {{- include "chartroom.probes" . | nindent 6 }}
      {{- if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version }}
      lifecycle:
        preStop:
          # Endpoints forget a pod some time after it is told to end; until then it still gets requests.
          sleep:
            seconds: 5
      {{- end }}
  volumes:
    {{- include "chartroom.volumes" . | nindent 4 }}
  {{- include "chartroom.placement" . | nindent 2 }}
{{- end -}}

{{/* What every container of the pod shares. */}}
{{- define "chartroom.container" -}}
image: {{ include "chartroom.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
env:
  {{- include "chartroom.environment" . | nindent 2 }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: data
    mountPath: /data
  - name: tmp
    mountPath: /tmp
  - name: config
    mountPath: /etc/chartroom/config
    readOnly: true
  - name: admin
    mountPath: /etc/chartroom/admin
    readOnly: true
  {{- if .Values.tls.secretName }}
  - name: tls
    mountPath: /etc/chartroom/tls
    readOnly: true
  {{- end }}
  {{- if eq .Values.mode "production" }}
  - name: postgres
    mountPath: /etc/chartroom/postgres
    readOnly: true
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "chartroom.probes" -}}
{{- $scheme := include "chartroom.scheme" . | upper -}}
startupProbe:
  httpGet: {path: {{ .Values.contextPath }}/live, port: http, scheme: {{ $scheme }}}
  periodSeconds: 2
  failureThreshold: {{ div .Values.probes.startupSeconds 2 }}
livenessProbe:
  httpGet: {path: {{ .Values.contextPath }}/live, port: http, scheme: {{ $scheme }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: {{ .Values.contextPath }}/{{ .Values.probes.readiness }}, port: http, scheme: {{ $scheme }}}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end -}}

{{- define "chartroom.volumes" -}}
- name: data
  {{- if eq .Values.mode "embedded" }}
  persistentVolumeClaim:
    claimName: {{ include "chartroom.claimName" . }}
  {{- else }}
  # Uploads on their way to S3.
  emptyDir: {}
  {{- end }}
- name: tmp
  emptyDir: {}
- name: config
  configMap:
    name: {{ include "chartroom.fullname" . }}
- name: admin
  secret:
    secretName: {{ include "chartroom.adminSecretName" . }}
{{- with .Values.tls.secretName }}
- name: tls
  secret:
    secretName: {{ . }}
{{- end }}
{{- if eq .Values.mode "production" }}
- name: postgres
  secret:
    secretName: {{ .Values.postgres.existingSecret }}
{{- end }}
{{- with .Values.extraVolumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{- define "chartroom.placement" -}}
{{- if .Values.topologySpreadConstraints -}}
topologySpreadConstraints:
  {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
{{- else if eq .Values.mode "production" -}}
topologySpreadConstraints:
  {{- range $topology := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $topology }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "chartroom.selectorLabels" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
