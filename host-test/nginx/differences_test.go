package nginx

// differences are the rows in which the profile does something else, and why.
var differences = map[string]string{
	"reply-bare-200":        "the profile gives no type to an answer without a body",
	"response-cookies":      "content-type is named before content-length there; the profile names it behind what nginx has in its list",
	"refused-configuration": "the profile asks once for each request, nginx once for each phase",
	// wasmtime calls an instance again after a trap, in whatever state it is. wazero closes one that
	// called proc_exit, as a Go module does when it panics: every later callback fails. With a native
	// guest the profile goes on (TestAPISIXGoesOnAfterATrap in host-test).
	"trap-in-request":       "wazero closes the instance",
	"trap-in-response":      "wazero closes the instance",
	"trap-in-response-body": "wazero closes the instance",
	"trap-in-callout":       "wazero closes the instance",
	"trap-after-call":       "wazero closes the instance",
}
