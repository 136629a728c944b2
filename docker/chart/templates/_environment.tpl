{{/* What the server is told as variables: everything that follows from the mode. The rest is in its file. */}}
{{- define "chartroom.environment" -}}
- name: CHARTROOM_CONFIG
  value: /etc/chartroom/config/chartroom.toml
- name: CHARTROOM_LISTEN
  value: 0.0.0.0:8080
- name: CHARTROOM_DATA
  value: /data
- name: CHARTROOM_SHUTDOWN_GRACE
  value: {{ printf "%ds" (int .Values.shutdownGraceSeconds) }}
- name: CHARTROOM_ADMIN_TOKEN_FILE
  value: {{ printf "/etc/chartroom/admin/%s" .Values.adminToken.key }}
{{- with .Values.contextPath }}
- name: CHARTROOM_CONTEXT_PATH
  value: {{ . | quote }}
{{- end }}
{{- if .Values.tls.secretName }}
- name: CHARTROOM_TLS_CERTIFICATE
  value: /etc/chartroom/tls/tls.crt
- name: CHARTROOM_TLS_KEY
  value: /etc/chartroom/tls/tls.key
{{- end }}
{{- if eq .Values.mode "production" }}
{{- include "chartroom.stores" . | nindent 0 }}
{{- end }}
{{- with .Values.extraEnv }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{/* Postgres and S3. The database's URL comes as a file: variables show in more places. */}}
{{- define "chartroom.stores" -}}
- name: CHARTROOM_CATALOG_URL_FILE
  value: {{ printf "/etc/chartroom/postgres/%s" .Values.postgres.urlKey }}
- name: CHARTROOM_BLOBS_URL
  value: {{ printf "s3://%s/%s" .Values.s3.bucket .Values.s3.prefix | trimSuffix "/" | quote }}
{{- with .Values.s3.endpoint }}
- name: CHARTROOM_S3_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with .Values.s3.region }}
- name: CHARTROOM_S3_REGION
  value: {{ . | quote }}
{{- end }}
{{- if eq .Values.s3.credentials "secret" }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef:
      name: {{ .Values.s3.existingSecret }}
      key: {{ .Values.s3.accessKeyIdKey }}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.s3.existingSecret }}
      key: {{ .Values.s3.secretAccessKeyKey }}
{{- end }}
{{- end -}}
