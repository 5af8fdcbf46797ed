// Package nginx proves that hosttest's profile apisix behaves as the module that Apache APISIX is
// built with. testdata/wasm-nginx-module.txtar is a recording of that module in a real nginx: scripts
// for the probe (host-test/probe), traffic, and what the probe logged and client and upstreams saw.
// The tests play the same to the profile and compare line by line; what differs is listed in
// differences_test.go, with its reason.
//
// It has no code of its own and cannot record anew: that module is on no package registry.
package nginx
