// Command probe is a proxy-wasm module that does what a script tells it and says what it saw. The
// same script gives the same lines on a real proxy and on package hosttest, if that is faithful.
//
// The plugin configuration is the script: a line "row NAME" and a line "as NAME" for the log, then
// one rule a line, "CALLBACK[/CONTEXT][#CALL][@end|@more]: OP; OP; …". CALLBACK is the name of a
// callback without "proxy_on_", CONTEXT counts the streams (or attempts) of this plugin from 1, CALL
// the calls of this callback in one context; @end is a call with end of stream, @more one without.
// The first rule that fits is run. Words of an operation are separated by blanks and may hold
// %-escapes. ops_*.go lists the operations.
//
// Every callback of a stream and every operation is logged at critical level as
//
//	PROBE <row> <as><context> <callback> <arguments>
//	PROBE <row> <as><context> | <operation> = <status> <result>
//
// Streams whose :path begins with "/~" are let through in silence: whoever drives the proxy sends
// them to know that everything before has been dealt with. "/~mark" alone is logged.
//
// It is built by standard Go with its own imports and exports, without an SDK. It keeps no state
// between streams but counters and what scripts ask for, and is of no use in production.
package main

func main() {}
