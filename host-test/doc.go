// Package hosttest is a proxy-wasm host for tests and for a local gateway: it loads any proxy-wasm
// module (ABI 0.2.0 and 0.2.1) on wazero, or the same callbacks written in Go, and emulates the
// proxy around it: filter chains before the router and per attempt, routing, retries, timeouts,
// local replies, properties, shared data, metrics, ticks, callouts and time.
//
// A Host is one proxy. Its Profile says which: Envoy, EnvoyUpstream, IstioWasmPlugin or APISIX,
// each with the limits and bugs that were measured on it, so that what a host lacks fails here as
// it fails there.
//
// A host is driven in two ways. Tests open a Stream and feed it step by step (Host.NewStream); the
// clock stands still, nothing happens behind their back, and everything that left the proxy can be
// read back. Host.Handler serves real HTTP over the same emulation.
//
// What it does not do: sockets and TLS, HTTP parsing, load balancing and health checks, TCP
// filters, gRPC callouts (they can be imported and answer "unimplemented"), ABI 0.1.0, metadata
// callbacks, 1xx answers, shadowing, hedging and redirects. It does not know any particular module.
package hosttest
