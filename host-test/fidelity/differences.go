package fidelity

// Differences are the rows in which hosttest answers otherwise than the recorded Envoy, with exactly
// those lines. A row that is not here must give the same.
var Differences = map[string]Difference{
	"resume-request-running": {
		Envoy: []string{
			"upstream 2 a headers :method: GET | :scheme: http | :path: /v1 | :authority: postern.test | x-forwarded-proto: http | x-request-id: * | x-envoy-expected-rq-timeout-ms: *",
			"upstream 2 a given up",
			"access 200 flags=- details=via_upstream attempts=2 cluster=a audit=- received=0 sent=3",
		},
		Hosttest: []string{
			"access 200 flags=- details=via_upstream attempts=1 cluster=a audit=- received=0 sent=3",
			"misuse reported: request headers passed twice: continue_stream in a callback that also continues",
		},
		Why: "A bug of the module that Envoy answers by sending the request twice; hosttest sends it once and reports the bug by Host.Misuse, so that a test can fail on it.",
	},
	"resume-response-running": {
		Envoy:    []string{"client 1 trailers :status: 200 | x-u: 1 | x-envoy-upstream-service-time: *"},
		Hosttest: []string{"misuse reported: response headers passed twice: continue_stream in a callback that also continues"},
		Why:      "A bug of the module that Envoy answers by writing the headers twice, which breaks the protocol; hosttest writes them once and reports the bug by Host.Misuse.",
	},
}
