{{/* What the worker will run with. files/settings.json is generated from its code. */}}
{{- define "worker.known" -}}
{{- .Files.Get "files/settings.json" -}}
{{- end -}}

{{/* A value as the worker reads it: 1 or 0, whole numbers without an exponent, lists as JSON. */}}
{{- define "worker.text" -}}
{{- if kindIs "bool" . -}}
{{- ternary "1" "0" . -}}
{{- else if kindIs "string" . -}}
{{- . -}}
{{- else if kindIs "slice" . -}}
{{- toJson . -}}
{{- else if eq (float64 .) (floor .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Defaults and settings together, as JSON. */}}
{{- define "worker.effective" -}}
{{- $known := include "worker.known" . | fromJson -}}
{{- $is := $known.defaults -}}
{{- range $name, $value := .Values.settings -}}
{{- $_ := set $is $name $value -}}
{{- end -}}
{{- toJson $is -}}
{{- end -}}

{{- define "worker.port" -}}
{{- $effective := include "worker.effective" . | fromJson -}}
{{- int64 $effective.WORKER_HTTP_PORT -}}
{{- end -}}

{{/* What goes before the group and all topics but the requests. */}}
{{- define "worker.prefix" -}}
{{- $effective := include "worker.effective" . | fromJson -}}
{{- ternary $effective.WORKER_OBSERVE_PREFIX "" .Values.observe -}}
{{- end -}}

{{/* The secrets that are mounted, as JSON: to observe needs no token. */}}
{{- define "worker.mounted" -}}
{{- $all := deepCopy .Values.secrets -}}
{{- if .Values.observe -}}{{- $_ := unset $all "KRAVIA_TOKEN_FILE" -}}{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{/* The release's own Secret: values given in secrets, as JSON. */}}
{{- define "worker.ownSecrets" -}}
{{- $own := dict -}}
{{- range $name, $source := include "worker.mounted" . | fromJson -}}
{{- if $source.value -}}{{- $_ := set $own $name $source.value -}}{{- end -}}
{{- end -}}
{{- toJson $own -}}
{{- end -}}

{{/* Variables of the ConfigMap. */}}
{{- define "worker.environment" -}}
{{- $known := include "worker.known" . | fromJson -}}
{{- $data := dict -}}
{{- range $name, $value := .Values.settings -}}
{{- $_ := set $data $name (include "worker.text" $value) -}}
{{- end -}}
{{- range $name, $_ := include "worker.mounted" . | fromJson -}}
{{- if hasSuffix "_FILE" $name -}}
{{- $_ := set $data $name (printf "/etc/kravia-invoice-worker/files/%s" $name) -}}
{{- else -}}
{{- $_ := set $data "WORKER_SECRETS_DIR" "/etc/kravia-invoice-worker/settings" -}}
{{- end -}}
{{- end -}}
{{- $_ := set $data "WORKER_GRACE" (toString .Values.terminationGracePeriodSeconds) -}}
{{- if has "DOCUMENT_SPOOL_DIR" $known.names -}}
{{- $_ := set $data "DOCUMENT_SPOOL_DIR" "/var/spool/kravia-invoice-worker" -}}
{{- end -}}
{{- toYaml $data -}}
{{- end -}}

{{/* Not empty: Kravia is reached through a forward proxy. */}}
{{- define "worker.proxied" -}}
{{- if or .Values.settings.KRAVIA_PROXY (hasKey .Values.secrets "KRAVIA_PROXY") -}}yes{{- end -}}
{{- end -}}
