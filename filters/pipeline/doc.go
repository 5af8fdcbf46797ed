// Package pipeline is the life of a request: two stages (client, and provider
// once per attempt) that share one typed state, with the outcomes Continue,
// Wait, Reply and Fail.
//
// It sees the proxy only through the interfaces in host.go. The parts that decide
// (identity, policy, route, budget, …) are packages of their own, which a Snapshot
// makes ready from one configuration; here they are only asked. The package knows
// no dialect by name, opens no connection and reads no clock of its own.
package pipeline
