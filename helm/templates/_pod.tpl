{{/* The pod's parts that the workload and the Job share. */}}
{{- define "worker.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAsUser }}
runAsGroup: {{ .Values.runAsUser }}
fsGroup: {{ .Values.runAsUser }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Takes a dict: root, args, and static: whether the pod's name is the name of a static member. */}}
{{- define "worker.container" -}}
image: {{ include "worker.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: {{- toYaml .args | nindent 2 }}
env:
  - name: KAFKA_CLIENT_ID
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- if .static }}
  - name: KAFKA_GROUP_INSTANCE_ID
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- end }}
  {{- with .root.Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
envFrom:
  - configMapRef:
      name: {{ include "worker.fullname" .root }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
resources: {{- toYaml .root.Values.resources | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: spool
    mountPath: /var/spool/kravia-invoice-worker
  {{- if include "worker.mounted" .root | fromJson }}
  - name: secrets
    mountPath: /etc/kravia-invoice-worker
    readOnly: true
  {{- end }}
  {{- with .root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "worker.volumes" -}}
{{- $root := . -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmp.sizeMiB }}Mi
- name: spool
  emptyDir:
    sizeLimit: {{ .Values.spool.sizeMiB }}Mi
{{- with include "worker.mounted" . | fromJson }}
# No subPath: a Secret that changes must reach the running worker.
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $source := . }}
      - {{ ternary "configMap" "secret" (not (empty $source.existingConfigMap)) }}:
          name: {{ coalesce $source.existingConfigMap $source.existingSecret (include "worker.fullname" $root) }}
          items:
            - key: {{ $source.key | default $name }}
              path: {{ ternary "files" "settings" (hasSuffix "_FILE" $name) }}/{{ $name }}
      {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "worker.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
