// Package credential puts a provider's credential on a request.
//
// A Source yields the credential of one provider: keys that are used in turn
// (from the environment of the VM, or from a secret endpoint), access tokens of
// Google Cloud and Microsoft Entra, signatures for AWS, a key that the client
// brings itself, or nothing, where the proxy authenticates after the module.
// What expires is renewed ahead of time, by one request at a time in each VM;
// a request waits only if there is nothing valid yet.
//
// A secret lives in a Secret, which no way of printing shows, in the memory of
// one VM. Tokens are not shared between VMs: the host's shared data is open to
// every module that runs under the same name, and all that it would save is one
// request an hour for each worker.
//
// The package knows no dialect (which header carries a key is told by
// Attempt.Key), opens no connection (Outside does), and never reads the
// environment while a request is served.
package credential
