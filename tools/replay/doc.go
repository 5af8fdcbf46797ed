// Package replay sends recorded exchanges through the module and checks what
// comes out: the recorded request as a client of its own API to a target of its
// own dialect, whose bytes must be kept; and the recorded answer through every
// client API that can express the operation, whole and cut, which must obey the
// API's grammar, say what the provider said and count what the provider counted.
//
// What was said is read by code of its own, with encoding/json, so that a codec
// is not its own judge. The package knows the wire APIs by the names that package
// builtin gives them; it prints nothing and opens no connection.
package replay
