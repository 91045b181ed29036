{{/* Labels of every object. */}}
{{- define "interlay.labels" -}}
app.kubernetes.io/name: interlay
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels of the agents' pods: a DaemonSet cannot change them. */}}
{{- define "interlay.selectorLabels" -}}
app: interlay
{{- end }}

{{/* The agent reads its settings from this namespace. */}}
{{- define "interlay.namespace" -}}
{{- if ne .Release.Namespace "interlay-system" }}
{{- fail "install with --namespace interlay-system --create-namespace" }}
{{- end -}}
interlay-system
{{- end }}

{{/* A reference: dict "image" (repository, tag, digest), "name" of the value, "tag" by default. */}}
{{- define "interlay.image" -}}
{{- $repository := required (printf "%s.repository: name the repository of the image that you built (docs/install.md)" .name) .image.repository -}}
{{- if .image.digest -}}
{{ $repository }}@{{ .image.digest }}
{{- else -}}
{{ $repository }}:{{ .image.tag | default .tag }}
{{- end -}}
{{- end }}

{{/* Whether agents check the tokens of clients. */}}
{{- define "interlay.checksTokens" -}}
{{- if and .Values.metrics.enabled (eq .Values.metrics.authentication "token") }}true{{ end -}}
{{- end }}

{{/* A probe: dict "root", "path", "numbers". */}}
{{- define "interlay.probe" -}}
httpGet: { path: {{ .path }}, port: {{ .root.Values.healthPort }}, host: 127.0.0.1 }
{{ toYaml .numbers }}
{{- end }}

{{/* Environment variables by which a process serves its metrics to other hosts. */}}
{{- define "interlay.metricsEnv" -}}
{{- with .Values.metrics }}
{{- if .enabled }}
- { name: METRICS_BIND_ADDRESS, value: {{ printf ":%v" .port | quote }} }
- { name: METRICS_AUTHENTICATION, value: {{ .authentication | quote }} }
{{- if .tlsSecret }}
- { name: METRICS_TLS_DIRECTORY, value: /etc/interlay/tls }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
