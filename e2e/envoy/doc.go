// Package envoy tests the module in a real Envoy: official clients in front,
// mock providers behind, and a bootstrap rendered as for a deployment.
//
//	make e2e-envoy
//
// It measures nothing: see package bench.
package envoy
