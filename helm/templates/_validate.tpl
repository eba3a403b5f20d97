{{/*
Refuses what is unsafe or contradicts itself, everything at once; _validate_objects.tpl has a part of it. The worker's
own rules for settings are not repeated here, but for the ones that Kubernetes has a part in or that would only show when
a pod starts.
*/}}
{{- define "worker.validate" -}}
{{- $values := .Values -}}
{{- $known := include "worker.known" . | fromJson -}}
{{- $is := include "worker.effective" . | fromJson -}}
{{- $wrong := list -}}

{{- range $name, $_ := $values.settings -}}
{{- with index $known.instead $name -}}
{{- $wrong = append $wrong (printf "settings.%s %s" $name .) -}}
{{- end -}}
{{- end -}}

{{- range $name, $source := $values.secrets -}}
{{- $given := list -}}
{{- range $kind := list "value" "existingSecret" "existingConfigMap" -}}
{{- if index $source $kind -}}{{- $given = append $given $kind -}}{{- end -}}
{{- end -}}
{{- if ne (len $given) 1 -}}
{{- $wrong = append $wrong (printf "secrets.%s: give exactly one of value, existingSecret and (for files) existingConfigMap; given: %s" $name (join ", " $given | default "none")) -}}
{{- else if and (has "value" $given) $source.key -}}
{{- $wrong = append $wrong (printf "secrets.%s: a key has no meaning with a value; remove it" $name) -}}
{{- else if and (not (has "value" $given)) (not $source.key) -}}
{{- $wrong = append $wrong (printf "secrets.%s: name the key that holds it" $name) -}}
{{- else if and (has "existingConfigMap" $given) (has $name (list "KRAVIA_TOKEN_FILE" "KAFKA_SSL_KEY_FILE")) -}}
{{- $wrong = append $wrong (printf "secrets.%s: a ConfigMap is no place for a secret; use existingSecret" $name) -}}
{{- end -}}
{{- if hasKey $values.settings $name -}}
{{- $wrong = append $wrong (printf "%s has two sources, settings and secrets: keep one" $name) -}}
{{- end -}}
{{- end -}}
{{- if not (or $values.observe (hasKey $values.secrets "KRAVIA_TOKEN_FILE")) -}}
{{- $wrong = append $wrong "secrets.KRAVIA_TOKEN_FILE is required: {existingSecret: NAME, key: KEY}; only observe: true works without a token" -}}
{{- end -}}

{{- if not $values.settings.KAFKA_BOOTSTRAP_SERVERS -}}
{{- $wrong = append $wrong "settings.KAFKA_BOOTSTRAP_SERVERS is required: host:port, several separated by commas" -}}
{{- end -}}
{{- $protocol := $is.KAFKA_SECURITY_PROTOCOL -}}
{{- if hasPrefix "SASL_" $protocol -}}
{{- if not $is.KAFKA_SASL_MECHANISM -}}
{{- $wrong = append $wrong (printf "settings.KAFKA_SECURITY_PROTOCOL is %s: set settings.KAFKA_SASL_MECHANISM" $protocol) -}}
{{- end -}}
{{- if not (or $is.KAFKA_SASL_USERNAME (hasKey $values.secrets "KAFKA_SASL_USERNAME")) -}}
{{- $wrong = append $wrong (printf "settings.KAFKA_SECURITY_PROTOCOL is %s: set secrets.KAFKA_SASL_USERNAME" $protocol) -}}
{{- end -}}
{{- if not (hasKey $values.secrets "KAFKA_SASL_PASSWORD") -}}
{{- $wrong = append $wrong (printf "settings.KAFKA_SECURITY_PROTOCOL is %s: set secrets.KAFKA_SASL_PASSWORD" $protocol) -}}
{{- end -}}
{{- else if hasKey $values.secrets "KAFKA_SASL_PASSWORD" -}}
{{- $wrong = append $wrong (printf "secrets.KAFKA_SASL_PASSWORD has no effect: settings.KAFKA_SECURITY_PROTOCOL is %s; set SASL_SSL" $protocol) -}}
{{- end -}}
{{- range $name := list "KAFKA_SSL_CA_FILE" "KAFKA_SSL_CERT_FILE" "KAFKA_SSL_KEY_FILE" -}}
{{- if and (hasKey $values.secrets $name) (not (has $protocol (list "SSL" "SASL_SSL"))) -}}
{{- $wrong = append $wrong (printf "secrets.%s has no effect: settings.KAFKA_SECURITY_PROTOCOL is %s; set SSL or SASL_SSL" $name $protocol) -}}
{{- end -}}
{{- end -}}
{{- if ne (hasKey $values.secrets "KAFKA_SSL_CERT_FILE") (hasKey $values.secrets "KAFKA_SSL_KEY_FILE") -}}
{{- $wrong = append $wrong "secrets.KAFKA_SSL_CERT_FILE and secrets.KAFKA_SSL_KEY_FILE: a certificate needs its key, and the other way round" -}}
{{- end -}}

{{- $url := toString $is.KRAVIA_BASE_URL -}}
{{- $loopback := regexMatch "^http://(localhost|127\\.[0-9.]+|\\[::1\\])(:[0-9]+)?(/|$)" $url -}}
{{- if and (hasPrefix "http://" $url) (not $loopback) (not $is.KRAVIA_ALLOW_PLAIN_HTTP) (not $values.observe) -}}
{{- $wrong = append $wrong (printf "settings.KRAVIA_BASE_URL is %s: token and personal data would travel in the clear; use https://, or set KRAVIA_ALLOW_PLAIN_HTTP where something else protects the way" $url) -}}
{{- end -}}

{{- $proxy := toString ($values.settings.KRAVIA_PROXY | default "") -}}
{{- if contains "@" $proxy -}}
{{- $wrong = append $wrong "settings.KRAVIA_PROXY holds a user, and a ConfigMap is no place for a secret; set secrets.KRAVIA_PROXY" -}}
{{- else if and $proxy (not (regexMatch "^https?://[^/?#[:space:]]+/?$" $proxy)) -}}
{{- $wrong = append $wrong "settings.KRAVIA_PROXY must be http://host:port or https://host:port, without a path" -}}
{{- end -}}
{{- if and (include "worker.proxied" .) (hasPrefix "http://" $url) (not $values.observe) -}}
{{- $wrong = append $wrong (printf "settings.KRAVIA_BASE_URL is %s: without TLS to Kravia a proxy's answer can't be told from Kravia's; use https://, or remove KRAVIA_PROXY" $url) -}}
{{- end -}}

{{- $grace := $values.terminationGracePeriodSeconds -}}
{{- $drain := $is.WORKER_DRAIN_TIMEOUT -}}
{{- $commit := $is.WORKER_COMMIT_TIMEOUT -}}
{{- if le (float64 $grace) (addf $drain $commit) -}}
{{- $wrong = append $wrong (printf "terminationGracePeriodSeconds is %v: it must be more than WORKER_DRAIN_TIMEOUT (%v) + WORKER_COMMIT_TIMEOUT (%v), else a register is killed on its way and becomes a doubt" $grace $drain $commit) -}}
{{- end -}}
{{- if gt (addf $is.KRAVIA_REGISTER_TIMEOUT $commit) (float64 $drain) -}}
{{- $wrong = append $wrong (printf "settings.WORKER_DRAIN_TIMEOUT is %v: KRAVIA_REGISTER_TIMEOUT (%v) + WORKER_COMMIT_TIMEOUT (%v) must fit into it" $drain $is.KRAVIA_REGISTER_TIMEOUT $commit) -}}
{{- end -}}

{{- $port := int64 $is.WORKER_HTTP_PORT -}}
{{- if lt $port 1024 -}}
{{- $wrong = append $wrong (printf "settings.WORKER_HTTP_PORT is %d: probes and Prometheus need a fixed port, and a process without rights one from 1024" $port) -}}
{{- end -}}
{{- if regexMatch "^(127\\.|localhost$|::1$)" (toString $is.WORKER_HTTP_HOST) -}}
{{- $wrong = append $wrong (printf "settings.WORKER_HTTP_HOST is %s: probes come from outside the pod; remove it" $is.WORKER_HTTP_HOST) -}}
{{- end -}}
{{- if hasKey $is "DOCUMENT_SPOOL_BYTES" -}}
{{- if gt (float64 $is.DOCUMENT_SPOOL_BYTES) (mulf $values.spool.sizeMiB 1048576) -}}
{{- $wrong = append $wrong (printf "spool.sizeMiB is %v: it must hold DOCUMENT_SPOOL_BYTES (%v), else the pod is evicted" $values.spool.sizeMiB (int64 $is.DOCUMENT_SPOOL_BYTES)) -}}
{{- end -}}
{{- end -}}

{{- $partitions := $values.topics.partitions -}}
{{- $workload := $values.workload -}}
{{- if and (eq $workload.kind "Deployment") (has (toString $workload.maxSurge) (list "0" "0%")) (has (toString $workload.maxUnavailable) (list "0" "0%")) -}}
{{- $wrong = append $wrong "workload.maxSurge and workload.maxUnavailable are both 0: no upgrade could ever begin" -}}
{{- end -}}
{{- if $values.keda.enabled -}}
{{- $keda := $values.keda -}}
{{- if lt (int $keda.minReplicas) 1 -}}
{{- $wrong = append $wrong (printf "keda.minReplicas is %v: at least 1, since doubts are reconciled and the journal is trimmed while there is no lag" $keda.minReplicas) -}}
{{- end -}}
{{- if gt (int $keda.maxReplicas) (int $partitions) -}}
{{- $wrong = append $wrong (printf "keda.maxReplicas is %v: more than topics.partitions (%v) would have nothing to do" $keda.maxReplicas $partitions) -}}
{{- end -}}
{{- if gt (int $keda.minReplicas) (int $keda.maxReplicas) -}}
{{- $wrong = append $wrong (printf "keda.minReplicas is %v, more than keda.maxReplicas (%v)" $keda.minReplicas $keda.maxReplicas) -}}
{{- end -}}
{{- if or (lt (int $keda.fallback.replicas) (int $keda.minReplicas)) (gt (int $keda.fallback.replicas) (int $keda.maxReplicas)) -}}
{{- $wrong = append $wrong (printf "keda.fallback.replicas is %v: it must be from keda.minReplicas (%v) to keda.maxReplicas (%v)" $keda.fallback.replicas $keda.minReplicas $keda.maxReplicas) -}}
{{- end -}}
{{- if and (eq $workload.kind "StatefulSet") (not $keda.allowStaticMembership) -}}
{{- $wrong = append $wrong (printf "keda.enabled with workload.kind StatefulSet: a static member can't leave the group, so each scale-down stops its partitions for KAFKA_SESSION_TIMEOUT (%v s); use a Deployment, or set keda.allowStaticMembership" $is.KAFKA_SESSION_TIMEOUT) -}}
{{- end -}}
{{- if and (hasPrefix "SASL_" $protocol) (not (hasKey $values.secrets "KAFKA_SASL_USERNAME")) -}}
{{- $wrong = append $wrong "keda.enabled: KEDA takes the user from a Secret too; set secrets.KAFKA_SASL_USERNAME" -}}
{{- end -}}
{{- else if gt (int $values.replicas) (int $partitions) -}}
{{- $wrong = append $wrong (printf "replicas is %v: more than topics.partitions (%v) would have nothing to do" $values.replicas $partitions) -}}
{{- end -}}

{{- $wrong = concat $wrong ((include "worker.wrongObjects" . | fromJson).wrong) -}}
{{- if $wrong -}}
{{- fail (printf "\n- %s\n" (join "\n- " $wrong)) -}}
{{- end -}}
{{- end -}}
