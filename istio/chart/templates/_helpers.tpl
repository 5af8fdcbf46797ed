{{- /* Labels of the gateway's pods. */ -}}
{{- define "postern.selector" -}}
{{- if eq .Values.gateway.api "kubernetes" -}}
{"gateway.networking.k8s.io/gateway-name": {{ quote .Values.gateway.name }}}
{{- else -}}
{{ toJson .Values.gateway.selector }}
{{- end -}}
{{- end -}}

{{- define "postern.image" -}}
{{ .Values.image.url }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else if .Values.image.tag }}:{{ .Values.image.tag }}{{ end }}
{{- end -}}

{{- /* Where an EnvoyFilter applies. */ -}}
{{- define "postern.attach" -}}
{{- if eq .Values.gateway.api "kubernetes" -}}
targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: {{ quote .Values.gateway.name }}}]
{{- else -}}
workloadSelector: {labels: {{ include "postern.selector" . }}}
{{- end -}}
{{- end -}}

{{- /* One cluster's key in filter state and the cluster: the same name. */ -}}
{{- define "postern.clusters" -}}
map:
{{- range .Values.providers }}
  {{ quote .cluster }}: {action: {name: {{ quote .cluster }}, typed_config: {"@type": type.googleapis.com/envoy.extensions.router.cluster_specifiers.matcher.v3.ClusterAction, cluster: {{ quote .cluster }}}}}
{{- end }}
{{- end -}}

{{- /* What the module's WasmPlugins have in common. */ -}}
{{- define "postern.plugin" -}}
{{- if eq .Values.gateway.api "kubernetes" -}}
targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: {{ quote .Values.gateway.name }}}]
{{- else -}}
selector: {matchLabels: {{ include "postern.selector" . }}}
{{- end }}
# Every request to this port of the gateway passes the module.
match: [{mode: CLIENT, ports: [{number: {{ int64 .Values.gateway.port }}}]}]
url: {{ include "postern.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if .Values.image.pullSecret }}
imagePullSecret: {{ quote .Values.image.pullSecret }}
{{- end }}
{{- if eq .Values.mode "observe" }}
# After Istio has verified who asks, and before anything else may answer: claims are there, and refusals are seen, too.
phase: AUTHZ
{{- else }}
# After Istio's own authentication and authorization, before the router: claims are verified, and a denied request costs nothing.
phase: UNSPECIFIED_PHASE
{{- end }}
{{- if .Values.variables }}
# Keys come from the proxy's own environment and show in no configuration dump.
vmConfig: {env: [{{ range $i, $name := .Values.variables }}{{ if $i }}, {{ end }}{name: {{ quote $name }}, valueFrom: HOST}{{ end }}]}
{{- end }}
{{- end -}}
