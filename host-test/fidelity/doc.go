// Package fidelity proves that package hosttest behaves as the proxy that it emulates.
//
// Rows is a table of behaviours of the proxy-wasm ABI. A row has scripts for the probe module
// (package probe), and traffic: what a client and the upstreams do, step by step. Record runs the
// table against a real Envoy and writes down what the probe logged and what upstreams, client and
// access log saw; Emulate runs it against hosttest. Both give lines of text that are compared one by
// one. A difference must be listed, with its reason, in Differences.
//
// testdata/envoy-1.40.json is such a recording, never written by hand. With the environment variable
// ENVOY naming an Envoy, the tests record anew and compare (flag -update keeps the new recording);
// without it they compare hosttest with the file. FIDELITY.md beside package hosttest is written
// from both by go generate.
//
// It does not test hosttest's profiles of other proxies than Envoy, nor hosttest.Handler.
package fidelity

//go:generate go run ./document
