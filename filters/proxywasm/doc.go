// Package proxywasm binds the proxy-wasm Go SDK to standard Go and offers what
// it binds as the interfaces of package host. A module registers its
// plugin once, from an init function:
//
//	func init() { proxywasm.Register(newPlugin) }
//
// and is built with GOOS=wasip1 GOARCH=wasm -buildmode=c-shared. The SDK keeps
// the VM and the plugins and dispatches their callbacks; this package supplies
// the exports, the streams, the host calls and the memory that the host writes
// results into.
//
// A panic ends at the export that it would leave: it is told to the one stream
// that it happened in (host.Callbacks.Recovered), and the VM lives on. What
// recover cannot catch still ends the VM: a stack deeper than the host's (some
// 20,000 calls in Envoy), and memory that the host does not give.
//
// Outside wasm the package compiles and everything but the exports and imports
// runs, so that its logic is tested natively; host calls then answer
// Unimplemented.
//
// What this package does not do: it knows no dialect, no policy and no
// configuration, it caches nothing that it reads, it retries nothing, and it
// serves no TCP contexts, queues or gRPC calls.
package proxywasm
