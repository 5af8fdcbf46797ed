// Package sdk holds the official clients against the module in a real Envoy,
// in front of a mock of each provider: every client's API against every
// provider's, in every column of the matrix.
//
//	make e2e-sdk
//
// The clients are as their makers publish them. One adapter each asks the same
// questions (client_test.go); what cannot be carried stands in refused_test.go
// with its reason, and must come back as the client's own typed error.
//
// It has clients for Go and for Python (python/). It tests neither how the proxy
// behaves when something breaks (see package envoy) nor what a field becomes on
// its way (see docs/dialects.md).
package sdk
