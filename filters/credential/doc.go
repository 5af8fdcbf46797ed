// Package credential puts a provider's credential on a request.
//
// Where a credential comes from hides behind Source. Today's sources are fixed
// when the configuration is loaded: keys from the environment of the VM, or
// `host`, where the proxy injects the credential after the module and Postern
// sets nothing. Whatever signs a request or asks for a token becomes another
// Source: it finds all that it needs in Attempt.
//
// A key lives in a Secret, which no way of printing shows. The package knows no
// dialect (which header carries a key is told by Attempt.Key), opens no
// connection, and never reads the environment while a request is served.
package credential
