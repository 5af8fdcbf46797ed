package anthropic_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

var (
	onVertex  = dialect.Target{Model: "claude-sonnet-4@20250514", Flavour: "vertex", BasePath: "/v1/projects/p/locations/l/publishers/anthropic"}
	onBedrock = dialect.Target{Model: "us.anthropic.claude-opus-4-6-v1:0", Flavour: "bedrock"}
)

func TestCloudPaths(t *testing.T) {
	for want, c := range map[string]struct {
		t      *dialect.Target
		stream bool
	}{
		"/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4@20250514:rawPredict":       {&onVertex, false},
		"/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4@20250514:streamRawPredict": {&onVertex, true},
		"/model/us.anthropic.claude-opus-4-6-v1%3A0/invoke":                                                {&onBedrock, false},
		"/model/us.anthropic.claude-opus-4-6-v1%3A0/invoke-with-response-stream":                           {&onBedrock, true},
	} {
		require.Equal(t, want, codec.Provider.Path(&llm.Facts{Operation: llm.Chat, Stream: c.stream}, c.t))
		require.Empty(t, codec.Provider.Headers(c.t))
		name, value := codec.Provider.Credential(c.t, "k")
		require.Equal(t, "authorization Bearer k", name+" "+value)
	}
}

func TestRecogniseVertex(t *testing.T) {
	const base = "/v1/projects/p/locations/l/publishers/anthropic/models/"
	for path, want := range map[string]dialect.Call{
		base + "claude@1:rawPredict":                            {Operation: llm.Chat, Model: "claude@1"},
		base + "claude%401:streamRawPredict":                    {Operation: llm.Chat, Model: "claude@1", Stream: true},
		base + "claude@1:predict":                               {},
		base + ":rawPredict":                                    {},
		base + "count-tokens:rawPredict":                        {},
		base + "%:rawPredict":                                   {},
		"/v2/x/publishers/anthropic/models/a:rawPredict":        {},
		"/v1/projects/p/publishers/google/models/a:rawPredict":  {},
		"/v1/projects/p/publishers/anthropic/models/rawPredict": {},
	} {
		call, ok := codec.Client.Recognise(&dialect.Line{Method: "POST", Path: path})
		require.Equal(t, want != dialect.Call{}, ok, path)
		if ok {
			require.Equal(t, want, call)
		}
		_, ok = codec.Client.Recognise(&dialect.Line{Method: "GET", Path: path, Header: func(string) string { return "" }})
		require.False(t, ok)
	}
}

// keep is the body that a target gets of one in the same API.
func keep(t *testing.T, call dialect.Call, target *dialect.Target, body string) string {
	doc, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, e := codec.Client.Facts(call, &doc)
	require.Nil(t, e)
	var edits jsonx.Edits
	codec.Same.Request(&edits, &f, &doc, &dialect.Patch{Target: target})
	return string(edits.Apply(nil, doc.Body()))
}

// Bytes change where model, version and stream stand, and nowhere else; what one
// target's edits made can be edited for another.
func TestCloudBodies(t *testing.T) {
	plain := dialect.Target{Model: "claude-sonnet-5"}
	chat := dialect.Call{Operation: llm.Chat}
	path := dialect.Call{Operation: llm.Chat, Model: "fast", Stream: true}
	const (
		asked  = `{ "model":"fast", "messages":[ ],  "stream":true,"x":1.50 }`
		vertex = `{ "messages":[ ],  "stream":true,"x":1.50,"anthropic_version":"vertex-2023-10-16" }`
		amazon = `{ "messages":[ ],  "x":1.50,"anthropic_version":"bedrock-2023-05-31" }`
	)
	require.Equal(t, vertex, keep(t, chat, &onVertex, asked))
	require.Equal(t, amazon, keep(t, chat, &onBedrock, asked))
	require.Equal(t, `{ "model":"claude-sonnet-5", "messages":[ ],  "stream":true,"x":1.50 }`, keep(t, chat, &plain, asked))
	require.Equal(t, `{ "messages":[ ],  "x":1.50,"model":"claude-sonnet-5","stream":true }`, keep(t, path, &plain, amazon))
	require.Equal(t, `{ "messages":[ ],  "stream":true,"x":1.50,"model":"fast" }`, keep(t, path, &dialect.Target{}, vertex))
	require.Equal(t, vertex, keep(t, path, &onVertex, vertex))
	require.Equal(t, `{ "messages":[ ],  "x":1.50,"anthropic_version":"vertex-2023-10-16","stream":true }`, keep(t, path, &onVertex, amazon))
}

func TestCloudEncode(t *testing.T) {
	r := llm.Request{Facts: llm.Facts{Choices: 1, MaxTokens: 9, Stream: true}, Messages: []llm.Message{{Parts: []llm.Part{{Text: llm.Escaped("Hi")}}}}}
	for want, target := range map[string]*dialect.Target{
		`{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"stream":true}`: &onVertex,
		`{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`:              &onBedrock,
	} {
		out, e := codec.Provider.Encode(nil, &r, target, nil)
		require.Nil(t, e)
		require.Equal(t, want, string(out))
	}
}

func TestClassifyAWS(t *testing.T) {
	e := codec.Provider.Classify(400, func(n string) string {
		return map[string]string{"x-amzn-errortype": "ServiceQuotaExceededException"}[n]
	}, []byte(`{"message":"m"}`))
	require.Equal(t, llm.QuotaExhausted, e.Class)
	e = codec.Provider.Classify(429, func(string) string { return "" }, []byte(`{"__type":"ModelNotReadyException","message":"m"}`))
	require.Equal(t, llm.Overloaded, e.Class)
	e = codec.Provider.Classify(429, func(string) string { return "" }, []byte(`{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`))
	require.Equal(t, llm.RateLimited, e.Class)
}

// chunked is a stream of server-sent events as Bedrock sends it.
func chunked(stream []byte) []byte {
	var out []byte
	for line := range strings.Lines(string(stream)) {
		if data, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "data: "); ok {
			out = aws.AppendChunk(out, []byte(strings.TrimSpace(data)))
		}
	}
	return out
}

// TestBedrockStreams reads and passes on what Bedrock makes of each stream: the same
// as of the stream itself, at every cut.
func TestBedrockStreams(t *testing.T) {
	for name, stream := range dialecttest.Archive(t, "testdata/streams.txtar") {
		t.Run(name, func(t *testing.T) {
			chunks := chunked(stream)
			want := dialecttest.Script(dialecttest.Decode(codec.Provider.NewDecoder(nil, &onBedrock, limits), chunks))
			patch := dialect.Patch{Target: &onBedrock, Model: "shown"}
			wantOut, told := dialecttest.Tap(codec.Same.NewTap(nil, limits, &patch), chunks)
			wantTold := dialecttest.Script(told)
			dialecttest.OneCut(chunks, func(cut ...[]byte) {
				require.Equal(t, want, dialecttest.Script(dialecttest.Decode(codec.Provider.NewDecoder(nil, &onBedrock, limits), cut...)))
				out, told := dialecttest.Tap(codec.Same.NewTap(nil, limits, &patch), cut...)
				require.Equal(t, string(wantOut), string(out))
				require.Equal(t, wantTold, dialecttest.Script(told))
			})
			if !strings.Contains(string(stream), "\r") && !strings.Contains(string(stream), "\ndata: {\"type\":\"ping") {
				require.Equal(t, dialecttest.Script(dialecttest.Decode(codec.Provider.NewDecoder(nil, nil, limits), stream)), want)
			}
		})
	}
}

// TestBrokenChunks ends in one typed way whatever is wrong with a stream.
func TestBrokenChunks(t *testing.T) {
	good := chunked([]byte("data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\"}}\n"))
	for name, stream := range map[string][]byte{
		"nothing":       nil,
		"cut":           good[:len(good)-1],
		"flipped":       append(append([]byte(nil), good[:len(good)-1]...), good[len(good)-1]^1),
		"not JSON":      aws.AppendChunk(nil, []byte("x")),
		"exception":     aws.AppendException(nil, &llm.Error{Class: llm.Overloaded, Message: "m"}, ""),
		"ends":          good,
		"then nonsense": append(append([]byte(nil), good...), "0123456789abcdef"...),
	} {
		for _, events := range [][]llm.Event{
			dialecttest.Decode(codec.Provider.NewDecoder(nil, &onBedrock, limits), stream),
			second(dialecttest.Tap(codec.Same.NewTap(nil, limits, &dialect.Patch{Target: &onBedrock}), stream)),
		} {
			require.NoError(t, dialecttest.CheckEvents(events), name)
			require.Equal(t, llm.Failure, events[len(events)-1].Kind, name)
		}
	}
}

func second(_ []byte, events []llm.Event) []llm.Event { return events }

// TestRecordedOnBedrock reads and passes on recorded answers of Claude on Bedrock:
// no event and no member of one is lost.
func TestRecordedOnBedrock(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, "bedrock-invoke-stream.jsonl", "bedrock-invoke.jsonl") {
		if !strings.Contains(r.URL, "anthropic.") || r.Status != 200 || !strings.Contains(r.Request, "messages") {
			continue
		}
		if r.Encoding != "base64" {
			a, e := codec.Provider.Decode(nil, &onBedrock, []byte(r.Response))
			require.Nil(t, e)
			require.True(t, a.Usage.Known)
			continue
		}
		stream, err := base64.StdEncoding.DecodeString(r.Response)
		require.NoError(t, err)
		frames, err := grammar.EventStream(stream)
		require.NoError(t, err)
		var want strings.Builder
		for _, f := range frames {
			var chunk struct{ Bytes []byte }
			require.NoError(t, json.Unmarshal([]byte(f.Data), &chunk))
			var event struct{ Type string }
			require.NoError(t, json.Unmarshal(chunk.Bytes, &event))
			want.WriteString("event: " + event.Type + "\ndata: " + string(chunk.Bytes) + "\n\n")
		}
		check := func(chunks ...[]byte) {
			out, told := dialecttest.Tap(codec.Same.NewTap(nil, limits, &dialect.Patch{Target: &onBedrock}), chunks...)
			require.True(t, want.String() == string(out), r.ID)
			require.Equal(t, llm.End, told[len(told)-1].Kind)
			events := dialecttest.Decode(codec.Provider.NewDecoder(nil, &onBedrock, limits), chunks...)
			require.NoError(t, dialecttest.CheckEvents(events))
			require.Equal(t, dialecttest.Last(events), dialecttest.Last(told))
			requireStream(t, want.String(), events)
		}
		dialecttest.Bytes(stream, check)
		dialecttest.Partitions(stream, 1, 4, check)
	}
}

// TestRecordedOnVertex keeps recorded requests of Vertex as they are.
func TestRecordedOnVertex(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, "vertex-rawPredict.jsonl", "vertex-streamRawPredict.jsonl") {
		at, err := url.Parse(r.URL)
		require.NoError(t, err)
		call, ok := codec.Client.Recognise(&dialect.Line{Method: r.Method, Path: at.EscapedPath()})
		require.True(t, ok, r.URL)
		require.Equal(t, r.Request, keep(t, call, &onVertex, r.Request))
		base, _, _ := strings.Cut(at.Path, "/models/")
		require.Equal(t, at.Path, codec.Provider.Path(&llm.Facts{Stream: call.Stream}, &dialect.Target{Flavour: "vertex", Model: call.Model, BasePath: base}))
	}
}

// A signature of another API's model travels through a client of this one sealed.
func TestSeals(t *testing.T) {
	a := llm.Answer{Choices: []llm.Choice{{Finish: llm.FinishStop, Parts: []llm.Part{
		{Kind: llm.ReasoningPart, Text: llm.Escaped("t"), Signature: llm.Escaped("sig"), Origin: "gemini"},
		{Kind: llm.ReasoningPart, Redacted: true, Signature: llm.Escaped("data"), Origin: "openai"},
		{Kind: llm.ReasoningPart, Text: llm.Escaped("u"), Signature: llm.Escaped("own"), Origin: "anthropic"},
	}}}}
	out := codec.Client.AppendAnswer(nil, nil, "m", &a, nil)
	content, _ := jsonx.Lookup(out, "content")
	doc, bad := jsonx.Scan([]byte(`{"model":"m","messages":[{"role":"assistant","content":`+string(content)+`}]}`), codec.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, e := codec.Client.Facts(dialect.Call{}, &doc)
	require.Nil(t, e)
	r, e := codec.Client.Decode(f, &doc)
	require.Nil(t, e)
	for i, want := range a.Choices[0].Parts {
		got := r.Messages[0].Parts[i]
		require.Equal(t, want.Origin+" "+string(want.Signature), got.Origin+" "+string(got.Signature))
	}
	require.NotContains(t, string(content), "postern.anthropic")

	stream := dialecttest.Encode(codec.Client.NewEncoder(nil, "m"), []llm.Event{{Kind: llm.Start},
		{Kind: llm.BlockStart, Part: llm.ReasoningPart}, {Kind: llm.Delta, Part: llm.ReasoningPart, Sign: llm.Escaped("sig"), Origin: "gemini"}})
	require.Contains(t, string(stream), `"signature":"postern.gemini.sig"`)
}
