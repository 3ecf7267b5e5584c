{{- define "cachemesh.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "cachemesh.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cachemesh.labels" -}}
{{ include "cachemesh.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Nine tenths of the memory limit, which is in Mi or Gi. */}}
{{- define "cachemesh.goMemory" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources -}}
{{- if hasSuffix "Gi" $limit -}}
{{ printf "%dMiB" (div (mul (trimSuffix "Gi" $limit | int) 9216) 10) }}
{{- else if hasSuffix "Mi" $limit -}}
{{ printf "%dMiB" (div (mul (trimSuffix "Mi" $limit | int) 9) 10) }}
{{- else if $limit -}}
{{ fail "resources.limits.memory is given in Mi or Gi" }}
{{- end -}}
{{- end }}
