// Package telemetry turns audit records into metrics of the host, and carries
// W3C trace context.
//
// # Names
//
// A host's metric has a name and nothing else, so labels stand inside it:
//
//	postern.gen_ai.client.token.usage;op=chat;provider=openai;model=fast;type=input
//
// StatsTags are the regular expressions by which Envoy takes them out again.
// Prometheus then sees
//
//	postern_gen_ai_client_token_usage{gen_ai_operation_name="chat",gen_ai_provider_name="openai",…}
//
// (seen in Envoy 1.40, which drops the prefix "wasmcustom." of every metric of a
// module). Names and attributes are those of OpenTelemetry's semantic
// conventions for generative AI, v1.41. Hosts record whole numbers, so times are
// in milliseconds, and the names say so.
//
// Envoy's histograms are approximate: a sum may be off by a few percent. What is
// to be billed is in counters, which are exact.
//
// # Cost
//
// A request costs one call of the host per histogram: duration, input and output
// tokens, and time to the first chunk of a stream. Counters are added up in the
// VM and go to the host at Flush, once per second; what a trap loses is at most
// the last second. Nothing is allocated for a combination of labels that was
// seen before, and the number of combinations is bounded: beyond it the labels
// that could grow read "other".
//
// The package exports no spans, opens no connection, and reads no clock. The
// attribute keys are constants of its own, held to
// go.opentelemetry.io/otel/semconv by a test: importing that package costs 170
// KB of module on top of cedar-go, and 950 KB without it.
package telemetry
