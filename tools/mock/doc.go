// Package mock is a strict and realistic stand-in for model providers. It
// serves `postern run` without keys, end-to-end tests behind a real proxy with
// the official clients, and benchmarks.
//
//	m := mock.New(mock.Options{})
//	srv := httptest.NewServer(m) // every dialect on one address
//
// # Dialects
//
//   - openai: POST /v1/chat/completions, POST /v1/embeddings, GET /v1/models,
//     GET /v1/models/{model}
//   - anthropic: POST /v1/messages, POST /v1/messages/count_tokens,
//     GET /v1/models, GET /v1/models/{model}
//   - bedrock: POST /model/{model}/converse and …/converse-stream
//   - cohere: POST /v2/chat, /v2/embed, /v2/rerank, GET /v1/models and
//     /v1/models/{model} from its own clients
//   - gemini: POST /v1beta/models/{model}:generateContent, streamGenerateContent,
//     countTokens, embedContent, batchEmbedContents, GET /v1beta/models; on Vertex
//     AI's paths (/v1/projects/…/publishers/google/models/{model}) also predict
//   - ollama: POST /api/chat, /api/generate, /api/embed, GET /api/tags and
//     /api/version
//
// Requests are held against the published APIs: unknown members, wrong types
// and bounds, missing members, tool results without their calls, options that
// exclude each other, and unknown models are refused in the provider's own
// words. In one point the mock is stricter than any provider: a duplicate key
// is an error, so that nothing rests on which of two counts.
//
// Answers quote the prompt and follow from the request and Options.Seed alone;
// identifiers also count requests. Given tools, the first answer calls one
// (several when the prompt says "both", "each of", "parallel" or "at once"),
// and the answer to its result quotes the result. Structured output satisfies
// its schema. Tokens are counted by the mock's own rule (core.Pieces), so usage,
// chunks and max_tokens agree with each other, not with a real tokenizer.
//
// Models are those of each dialect's catalogue, Options.Models, and mock,
// mock-small (4,096 tokens of context), mock-large, mock-reason. A further
// model whose name contains "reason" spends reasoning tokens too; Anthropic
// models that can think show it when thinking is enabled.
//
// # Benchmark models
//
// bench-<n>b answers with a body of n bytes (as far as its envelope fits) and
// bench-<n>-chunks with n content events of a stream. Both are precomputed:
// their requests are neither parsed nor kept, only counted.
//
// # Behaviours on demand
//
// A behaviour is asked for in the model name, after an exclamation mark
// ("gpt-4o!slow=5ms!crlf"), as a model of its own ("mock-429",
// "mock-error-429"), in the request header X-Mock-Behaviour ("slow=5ms, crlf"),
// or for all requests by Server.Behave. Server-side waits end with
// Server.Close.
//
//	400                   the provider's answer to a request that it does not understand
//	401                   wrong credential
//	403                   a credential without the right
//	404                   unknown model
//	413                   the body is too large
//	429                   rate limit without a hint when to come back
//	rate-limit=seconds    rate limit with retry-after (7)
//	quota                 the account's money is spent
//	context-length        the prompt is too long for the model
//	content-filter-400    the prompt is refused by a content filter
//	500                   internal error
//	502                   the provider's own proxy fails
//	503                   the provider is down
//	504                   the provider's own proxy timed out
//	529                   overloaded
//	flap=count            answers 503 count times, then well count times, and so on, for each model name (1)
//	delay=time            waits before the headers (100ms)
//	first=time            waits before the first content of a stream (100ms)
//	slow=time             drips the body in pieces of 16 bytes, with this wait after each (2ms)
//	bytewise              sends every byte of the body in a write of its own
//	hang=time             never answers: waits, then closes (10m)
//	hang-mid-stream=time  stops talking in the middle of the body, then closes (10m)
//	reset-before-headers  resets the connection (or the HTTP/2 stream) instead of answering
//	close-after-request   closes the connection in an orderly way instead of answering
//	reset-mid-stream      resets in the middle of the body
//	close-mid-stream      closes in the middle of the body, without the end of the HTTP message
//	cut-mid-stream        ends the HTTP message well in the middle: no finish reason, no end marker
//	stream-error-first    a stream that answers 200 and whose first event is an error
//	stream-error-opened   a stream that opens (role, message_start) and then has an error before any content
//	stream-error-mid      a stream that breaks with an error event in the middle
//	html=status           an HTML page, as a proxy in between would send (200)
//	empty-body            200 and not a byte
//	malformed             JSON that breaks off (in a stream: one event of it) in a complete HTTP message
//	gzip                  a compressed body, although nobody asked
//	crlf                  events end their lines with CR LF
//	cr                    events end their lines with CR
//	bom                   the event stream begins with a byte order mark
//	comments              a comment line before each event
//	no-space              no space after the colon of an event's fields
//	multi-line            the data of each event in two lines
//	pings=count           that many keep-alives before the first content (10)
//	unknown-events        events and members that no client knows
//	huge-event=bytes      the first content has that many bytes (1048576)
//	tokens=count          a text of exactly that many tokens (100)
//	chunks=count          exactly that many content chunks (51)
//	parallel-tools=count  that many tool calls at once, when parallel calls are allowed (2)
//	cached                half of the prompt is billed as read from the cache
//	content-filter        200, and the answer is cut by a content filter
//	refusal               200, and the model refuses
//	empty-choices         200 without a single choice or content block
//	no-usage              no usage, neither in a body nor in a stream
//
// # Observation
//
// Server.Requests returns what was seen, Server.Stats counters: requests by
// path, strays (unknown path or method, or a POST without a body), and the usage
// that was billed and that was reported, by model.
//
// It does not imitate the content of real answers, does not check the contents
// of images and documents, does not keep a prompt cache (see "cached"), and
// enforces no rate limits of its own. A refused connection is not among the
// behaviours: take an address where nobody listens. On HTTP/2 a connection
// cannot be closed from within a request: those behaviours reset the stream.
package mock
