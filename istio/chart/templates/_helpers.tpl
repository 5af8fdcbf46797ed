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
