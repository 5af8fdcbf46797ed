// Package pipeline is the life of a request: two stages (client, and provider
// once per attempt) that share one typed state, with the outcomes Continue,
// Wait, Reply and Fail.
//
// It sees the proxy only through the interfaces in host.go, and the parts that
// decide (identity, policy, budget, …) only through those in parts.go. It
// knows no dialect by name, opens no connection and reads no clock of its own.
package pipeline
