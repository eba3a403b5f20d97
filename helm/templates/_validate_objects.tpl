{{/* Refusals about Kubernetes' objects rather than the worker's settings, as JSON {wrong: …}. */}}
{{- define "worker.wrongObjects" -}}
{{- $values := .Values -}}
{{- $known := include "worker.known" . | fromJson -}}
{{- $is := include "worker.effective" . | fromJson -}}
{{- $wrong := list -}}

{{- if and (eq $values.image.tag "latest") (not $values.image.digest) -}}
{{- $wrong = append $wrong "image.tag is latest: two pods of one release may run two versions; name a version, or a digest beside it" -}}
{{- end -}}

{{- range $where, $labels := dict "commonLabels" $values.commonLabels "podLabels" $values.podLabels -}}
{{- range $label, $_ := $labels -}}
{{- if regexMatch "^(app\\.kubernetes\\.io/|helm\\.sh/)" $label -}}
{{- $wrong = append $wrong (printf "%s.%s is the chart's own, and selectors go by it: take another name" $where $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $values.podAnnotations -}}
{{- if hasPrefix "checksum/" $name -}}
{{- $wrong = append $wrong (printf "podAnnotations.%s is the chart's own: pods are replaced when it changes; take another name" $name) -}}
{{- end -}}
{{- end -}}

{{- range $values.extraEnv -}}
{{- if has .name $known.names -}}
{{- $wrong = append $wrong (printf "extraEnv: %s is a setting: use settings, or secrets, where it is checked" .name) -}}
{{- else if regexMatch "^(PYTHON|LD_)" .name -}}
{{- $wrong = append $wrong (printf "extraEnv: %s changes how the image's Python runs: make an image of your own" .name) -}}
{{- end -}}
{{- if eq (hasKey . "value") (hasKey . "valueFrom") -}}
{{- $wrong = append $wrong (printf "extraEnv: %s: give exactly one of value and valueFrom" .name) -}}
{{- end -}}
{{- end -}}
{{- $volumes := list -}}
{{- range $values.extraVolumes -}}
{{- if has .name (list "tmp" "spool" "secrets") -}}
{{- $wrong = append $wrong (printf "extraVolumes: %s is a volume of the chart: take another name" .name) -}}
{{- end -}}
{{- $volumes = append $volumes .name -}}
{{- end -}}
{{- range $values.extraVolumeMounts -}}
{{- if not (has .name $volumes) -}}
{{- $wrong = append $wrong (printf "extraVolumeMounts: %s is not among extraVolumes" .name) -}}
{{- end -}}
{{- if regexMatch "^(/|/tmp|/opt/worker(/.*)?|/etc/kravia-invoice-worker(/.*)?|/var/spool/kravia-invoice-worker(/.*)?)/?$" .mountPath -}}
{{- $wrong = append $wrong (printf "extraVolumeMounts: %s: the worker or the chart has files there; take another path" .mountPath) -}}
{{- end -}}
{{- end -}}

{{- if and $values.podDisruptionBudget.enabled (has (toString $values.podDisruptionBudget.maxUnavailable) (list "0" "0%")) -}}
{{- $wrong = append $wrong (printf "podDisruptionBudget.maxUnavailable is %v: no node could ever be drained; at least 1, or podDisruptionBudget.enabled: false" $values.podDisruptionBudget.maxUnavailable) -}}
{{- end -}}
{{- $liveness := mul $values.probes.liveness.periodSeconds $values.probes.liveness.failureThreshold -}}
{{- if lt (int $liveness) 30 -}}
{{- $wrong = append $wrong (printf "probes.liveness kills after %d s (periodSeconds * failureThreshold): at least 30, since every kill may add doubts" (int $liveness)) -}}
{{- end -}}
{{- $limits := $values.resources.limits | default dict -}}
{{- $parts := regexFindAll "^[0-9]+|[MG]i$" (toString $limits.memory) -1 -}}
{{- if eq (len $parts) 2 -}}
{{- $memory := mulf (float64 (first $parts)) (ternary 1073741824 1048576 (eq (last $parts) "Gi")) -}}
{{- if le $memory (float64 $is.WORKER_MAX_IN_FLIGHT_BYTES) -}}
{{- $wrong = append $wrong (printf "resources.limits.memory is %s: WORKER_MAX_IN_FLIGHT_BYTES (%d) alone would fill it, and the pod be killed" $limits.memory (int64 $is.WORKER_MAX_IN_FLIGHT_BYTES)) -}}
{{- end -}}
{{- end -}}

{{- if $values.networkPolicy.enabled -}}
{{- $policy := $values.networkPolicy -}}
{{- range $server := splitList "," (toString $values.settings.KAFKA_BOOTSTRAP_SERVERS) -}}
{{- $port := regexFind "[0-9]+$" (trim $server) -}}
{{- if and $port (not (has $port (include "worker.ports" $policy.kafka | fromJsonArray))) -}}
{{- $wrong = append $wrong (printf "networkPolicy.kafka.ports: %s of KAFKA_BOOTSTRAP_SERVERS is not among them" $port) -}}
{{- end -}}
{{- end -}}
{{- if include "worker.proxied" . -}}
{{- with $values.settings.KRAVIA_PROXY -}}
{{- $url := urlParse (toString .) -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "80" "443" (eq $url.scheme "http")) -}}
{{- if not (or $values.observe (has $port (include "worker.ports" $policy.proxy | fromJsonArray))) -}}
{{- $wrong = append $wrong (printf "networkPolicy.proxy.ports: %s of KRAVIA_PROXY is not among them" $port) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- $url := urlParse (toString $is.KRAVIA_BASE_URL) -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "80" "443" (eq $url.scheme "http")) -}}
{{- if not (or $values.observe (has $port (include "worker.ports" $policy.kravia | fromJsonArray))) -}}
{{- $wrong = append $wrong (printf "networkPolicy.kravia.ports: %s of KRAVIA_BASE_URL is not among them" $port) -}}
{{- end -}}
{{- end -}}
{{- if and $is.DOCUMENT_ALLOW_HOSTS (not $policy.documents.enabled) -}}
{{- $wrong = append $wrong "networkPolicy.documents.enabled is false, and DOCUMENT_ALLOW_HOSTS names hosts: no document could be fetched; set it to true" -}}
{{- end -}}
{{- if and (eq $is.WORKER_TRACING "on") (not $policy.otlp.enabled) -}}
{{- $wrong = append $wrong "networkPolicy.otlp.enabled is false, and WORKER_TRACING is on: no span would arrive; set it to true" -}}
{{- end -}}
{{- end -}}

{{- if $values.podMonitor.enabled -}}
{{- $monitor := $values.podMonitor -}}
{{- if gt (float64 (include "worker.seconds" $monitor.scrapeTimeout)) (float64 (include "worker.seconds" $monitor.interval)) -}}
{{- $wrong = append $wrong (printf "podMonitor.scrapeTimeout is %s, longer than podMonitor.interval (%s): Prometheus refuses that" $monitor.scrapeTimeout $monitor.interval) -}}
{{- end -}}
{{- end -}}
{{- if $values.alerts.enabled -}}
{{- $oldest := get (.Files.Get "files/alerts.json" | fromJson) "InvoiceWorkerOldestEvent" | default dict -}}
{{- $bound := (get $values.alerts.rules "InvoiceWorkerOldestEvent" | default dict).threshold | default $oldest.threshold -}}
{{- if and $bound (ge (float64 $is.WORKER_RETRY_ELAPSED) (float64 $bound)) -}}
{{- $wrong = append $wrong (printf "alerts.rules.InvoiceWorkerOldestEvent.threshold is %v s: events may be retried for so long (WORKER_RETRY_ELAPSED, %v s), and it would call somebody for them; raise it" $bound $is.WORKER_RETRY_ELAPSED) -}}
{{- end -}}
{{- end -}}
{{- toJson (dict "wrong" $wrong) -}}
{{- end -}}

{{/* The ports of one destination of the network policy, as a JSON array of strings. */}}
{{- define "worker.ports" -}}
{{- $ports := list -}}
{{- range .ports -}}{{- $ports = append $ports (toString (int64 .)) -}}{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* Seconds of a duration of one unit. */}}
{{- define "worker.seconds" -}}
{{- $number := float64 (regexFind "^[0-9]+" .) -}}
{{- mulf $number (get (dict "ms" 0.001 "s" 1 "m" 60 "h" 3600) (regexFind "[a-z]+$" .)) -}}
{{- end -}}
