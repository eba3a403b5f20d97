{{/* Rules of files/alerts with the values of alerts and objectives in them. files/alerts.json has the placeholders. */}}

{{/* One rule, as JSON: dict root, adjustable (files/alerts.json), rule. Nothing: it is switched off. */}}
{{- define "worker.rule" -}}
{{- $values := .root.Values -}}
{{- $own := get $values.alerts.rules .rule.alert | default dict -}}
{{- if ne (toString (get $own "enabled")) "false" -}}
{{- $rule := deepCopy .rule -}}
{{- $annotations := $rule.annotations | default dict -}}
{{- with get .adjustable .rule.alert -}}
{{- if .expr -}}
{{- $filled := dict "threshold" (get . "threshold") -}}
{{- if hasKey $own "threshold" -}}{{- $_ := set $filled "threshold" $own.threshold -}}{{- end -}}
{{- if .objective -}}
{{- $goal := get $values.objectives .objective -}}
{{- $filled = dict "goal" $goal "percent" (mulf 100 $goal) "limit" $values.objectives.ageLimitSeconds -}}
{{- end -}}
{{- $expr := .expr -}}
{{- $description := .description -}}
{{- range $name, $value := $filled -}}
{{- $expr = replace (printf "@%s@" $name) (include "worker.text" $value) $expr -}}
{{- $description = replace (printf "@%s@" $name) (include "worker.text" $value) $description -}}
{{- end -}}
{{- $_ := set $rule "expr" $expr -}}
{{- $_ := set $annotations "description" $description -}}
{{- end -}}
{{- end -}}
{{- with $own.for -}}{{- $_ := set $rule "for" . -}}{{- end -}}
{{- $labels := merge (dict) (get $own "labels" | default dict) $values.alerts.ruleLabels ($rule.labels | default dict) -}}
{{- with $own.severity -}}{{- $_ := set $labels "severity" . -}}{{- end -}}
{{- if $labels -}}{{- $_ := set $rule "labels" $labels -}}{{- end -}}
{{- with $values.alerts.runbookUrl -}}
{{- with $annotations.runbook_url -}}
{{- $_ := set $annotations "runbook_url" (replace "docs/runbooks" (trimSuffix "/" $values.alerts.runbookUrl) .) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $rule "annotations" (merge (dict) $values.alerts.ruleAnnotations $annotations) -}}
{{- toJson $rule -}}
{{- end -}}
{{- end -}}

{{/* The groups of one file, as JSON {groups: …}, without those whose rules are all switched off. */}}
{{- define "worker.groups" -}}
{{- $root := .root -}}
{{- $adjustable := $root.Files.Get "files/alerts.json" | fromJson -}}
{{- $groups := list -}}
{{- $money := get $adjustable "InvoiceWorkerMoneyAtRisk" | default dict -}}
{{- range $group := .groups -}}
{{- $rules := list -}}
{{- $given := $group.rules -}}
{{- if and (eq $group.name (toString $money.group)) $root.Values.alerts.moneyLimits -}}
{{- $given = append $given (merge (dict "expr" (replace "@limits@" (include "worker.moneyLimits" $root) $money.rule.expr)) $money.rule) -}}
{{- end -}}
{{- range $rule := $given -}}
{{- with include "worker.rule" (dict "root" $root "adjustable" $adjustable "rule" $rule) -}}
{{- $rules = append $rules (fromJson .) -}}
{{- end -}}
{{- end -}}
{{- if $rules -}}{{- $groups = append $groups (merge (dict "rules" $rules) $group) -}}{{- end -}}
{{- end -}}
{{- toJson (dict "groups" $groups) -}}
{{- end -}}

{{/* A limit for each currency, as a PromQL vector. */}}
{{- define "worker.moneyLimits" -}}
{{- $limits := list -}}
{{- range $currency, $limit := .Values.alerts.moneyLimits -}}
{{- $limits = append $limits (printf `label_replace(vector(%s), "currency", "%s", "", "")` (include "worker.text" $limit) $currency) -}}
{{- end -}}
{{- join " or " $limits -}}
{{- end -}}
