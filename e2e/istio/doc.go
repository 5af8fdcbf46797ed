// Package istio runs what `postern render istio` makes: Istio's own discovery
// code, its image puller and its validation in this process, a real Envoy that
// is configured by them, and official clients.
//
// It needs no Kubernetes. Where applications leave through an egress gateway, a
// second Envoy is their sidecar. What is not run here: the istio-proxy binary, an API
// server, istiod's own process.
package istio
