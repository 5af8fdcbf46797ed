// Package envoy holds what a user deploys on Envoy: a postern.yaml to begin
// with and the bootstrap rendered from it. README.md says how.
//
// There is no code here. The tests against a real Envoy are in e2e/envoy.
package envoy

//go:generate go run ../tools/postern render envoy --listen 127.0.0.1:8080 --admin 127.0.0.1:9901 -o envoy.yaml postern.yaml
