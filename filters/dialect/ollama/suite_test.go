package ollama_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/ollama"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

var limits = dialect.Limits{Event: 1 << 20, Depth: 64}

// provider is the side that the kit checks: the client's translates nothing.
func provider(a *dialect.API) *dialect.API {
	return &dialect.API{Name: a.Name, Operation: a.Operation, Provider: a.Provider, Same: a.Same}
}

func TestSuite(t *testing.T) {
	dialecttest.Suite{
		API: provider(ollama.Chat()), Lines: true, Target: dialect.Target{Model: "llama3"},
		Refused: []string{"audio", "document", "many", "images", "forced tool", "required tool"},
		Streams: dialecttest.Archive(t, "testdata/streams.txtar"),
	}.Run(t)
	dialecttest.Suite{API: provider(ollama.Embed()), Refused: []string{"tokens", "image"}}.Run(t)
}

// TestEncode holds a request against what the API's reference says.
func TestEncode(t *testing.T) {
	parallel := false
	r := llm.Request{
		Facts: llm.Facts{Operation: llm.Chat, Stream: true, MaxTokens: 9, Choices: 1, User: "u"},
		Messages: []llm.Message{
			{Role: llm.Developer, Parts: []llm.Part{{Text: llm.Escaped("Be brief.")}}},
			{Parts: []llm.Part{{Text: llm.Escaped("See")}, {Kind: llm.ImagePart, Media: llm.Media{Data: llm.Escaped("AA==")}}}},
			{Role: llm.Assistant, Parts: []llm.Part{
				{Kind: llm.ReasoningPart, Text: llm.Escaped("Hm.")},
				{Kind: llm.ReasoningPart, Signature: llm.Escaped("x"), Origin: "other"},
				{Kind: llm.ToolCallPart, Call: llm.ToolCall{ID: llm.Escaped("c1"), Name: llm.Escaped("f"), Arguments: llm.Escaped(`{\"a\":1}`)}}}},
			{Role: llm.ToolRole, Parts: []llm.Part{{Kind: llm.ToolResultPart, Result: llm.ToolResult{ID: llm.Escaped("c1"), Parts: []llm.Part{{Text: llm.Escaped("r")}}}}}},
		},
		Tools:      []llm.Tool{{Name: llm.Escaped("f"), Strict: true}},
		ToolChoice: llm.ToolChoice{Mode: llm.ToolsAuto, Parallel: &parallel},
		Sampling:   llm.Sampling{Temperature: "0.5", Seed: "7"},
		Stop:       []llm.Escaped{llm.Escaped("END")},
		Format:     &llm.Format{Schema: llm.Raw(`{"type":"object"}`)},
		Reasoning:  &llm.Reasoning{Effort: llm.Escaped("high")},
	}
	var l dialect.Ledger
	out, err := ollama.Chat().Provider.Encode(nil, &r, &dialect.Target{Model: "m"}, &l)
	require.Nil(t, err)
	require.JSONEq(t, `{"model":"m","messages":[{"role":"system","content":"Be brief."},
		{"role":"user","content":"See","images":["AA=="]},
		{"role":"assistant","content":"","thinking":"Hm.","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},
		{"role":"tool","tool_name":"f","content":"r"}],
		"tools":[{"type":"function","function":{"name":"f","description":"","parameters":{"type":"object","properties":{}}}}],
		"stream":true,"format":{"type":"object"},"think":"high",
		"options":{"num_predict":9,"temperature":0.5,"seed":7,"stop":["END"]}}`, string(out))
	require.Equal(t, "dropped messages/*/content/*/reasoning, dropped tools/*/strict, dropped user, dropped parallel_tool_calls", string(l.Append(nil)))
}

func TestClassify(t *testing.T) {
	for _, x := range []struct {
		status  int
		message string
		class   llm.Class
	}{ // the server's routes and its reference of errors
		{400, "invalid options: foo", llm.ClientError},
		{400, "model is required", llm.ClientError},
		{404, "model 'x' not found", llm.ProviderError},
		{404, `model \"x\" not found, try pulling it first`, llm.ProviderError},
		{400, "the input length exceeds the context length", llm.ContextLength},
		{401, "unauthorized", llm.AuthError},
		{429, "you've reached your hourly usage limit, please upgrade to continue", llm.QuotaExhausted},
		{429, "too many requests", llm.RateLimited},
		{500, "model requires more system memory (8.0 GiB) than is available (2.0 GiB)", llm.Overloaded},
		{500, "llama runner process has terminated: exit status 2", llm.ProviderError},
		{502, "connection refused", llm.ProviderError},
		{503, "server busy, please try again.  maximum pending requests exceeded", llm.Overloaded},
	} {
		e := ollama.Chat().Provider.Classify(x.status, func(string) string { return "" }, []byte(`{"error":"`+x.message+`"}`))
		require.Equal(t, x.class, e.Class, x.message)
	}
}

// TestRequests holds that a request keeps its bytes but for the model's name and
// the bound.
func TestRequests(t *testing.T) {
	for body, want := range map[string]string{
		`{"model":"m","messages":[]}`:                                       `{"model":"t","messages":[],"options":{"num_predict":5}}`,
		`{"model":"m","messages":[],"options":{}}`:                          `{"model":"t","messages":[],"options":{"num_predict":5}}`,
		`{"model":"m","messages":[],"options":{"seed":1}}`:                  `{"model":"t","messages":[],"options":{"seed":1,"num_predict":5}}`,
		`{"model":"m","messages":[],"options":{"num_predict":-1,"seed":1}}`: `{"model":"t","messages":[],"options":{"num_predict":5,"seed":1}}`,
		`{"model":"m","messages":[],"options":{"num_predict":3}}`:           `{"model":"t","messages":[],"options":{"num_predict":3}}`,
	} {
		doc, f := facts(t, ollama.Chat(), body)
		require.True(t, f.Stream)
		var e jsonx.Edits
		ollama.Chat().Same.Request(&e, &f, &doc, &dialect.Patch{Target: &dialect.Target{Model: "t", MaxTokens: 5}})
		require.Equal(t, want, string(e.Apply(nil, []byte(body))))
	}
}

func facts(t *testing.T, a *dialect.API, body string) (jsonx.Document, llm.Facts) {
	doc, bad := jsonx.Scan([]byte(body), a.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, err := a.Client.Facts(dialect.Call{Operation: a.Operation}, &doc)
	require.Nil(t, err)
	return doc, f
}

// line is an answer or a line of a stream as encoding/json reads it.
type line struct {
	Message  struct{ Content string }
	Response string
	In       int64 `json:"prompt_eval_count"`
	Out      int64 `json:"eval_count"`
}

// Every recorded answer is read with the server's own counts and text, and passed
// on byte for byte.
func TestRecordings(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, "ollama-chat.jsonl", "ollama-generate.jsonl") {
		api := ollama.Chat()
		if strings.HasSuffix(r.URL, "/api/generate") {
			api = ollama.Generate()
		}
		_, f := facts(t, api, r.Request)
		var want line
		text := ""
		for _, l := range strings.Split(strings.TrimSpace(r.Response), "\n") {
			require.NoError(t, json.Unmarshal([]byte(l), &want))
			text += want.Message.Content + want.Response
			want.Message.Content, want.Response = "", ""
		}
		kind, _, _ := strings.Cut(r.Headers["content-type"], ";")
		require.Equal(t, f.Stream, api.Provider.Streams(kind))
		if !f.Stream {
			a, err := api.Provider.Decode(&f, nil, []byte(r.Response))
			require.Nil(t, err)
			require.Equal(t, text, dialecttest.Plain(a.Choices[0].Parts[0].Text))
			require.Equal(t, llm.Usage{Input: want.In, Output: want.Out, Known: true}, a.Usage)
			continue
		}
		check := func(chunks ...[]byte) {
			events := dialecttest.Decode(api.Provider.NewDecoder(&f, nil, limits), chunks...)
			require.NoError(t, dialecttest.CheckEvents(events))
			require.Equal(t, text, dialecttest.Said(events, 0, llm.TextPart))
			require.Equal(t, &llm.Usage{Input: want.In, Output: want.Out, Known: true}, dialecttest.Last(events))
			out, told := dialecttest.Tap(api.Same.NewTap(&f, limits, &dialect.Patch{}), chunks...)
			require.Equal(t, r.Response, string(out))
			require.Equal(t, dialecttest.Last(events), dialecttest.Last(told))
		}
		dialecttest.Bytes([]byte(r.Response), check)
		dialecttest.Partitions([]byte(r.Response), 1, 16, check)
	}
}

// FuzzAnswer: whatever a server sends ends in one typed way, however it is cut.
func FuzzAnswer(f *testing.F) {
	for _, s := range dialecttest.Archive(f, "testdata/streams.txtar") {
		f.Add(s, uint64(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		for _, api := range ollama.New().APIs {
			dialecttest.Suite{API: api}.Junk(t, data)
		}
		p := ollama.Chat().Provider
		events := dialecttest.Decode(p.NewDecoder(nil, nil, limits), data)
		dialecttest.Partitions(data, seed, 2, func(chunks ...[]byte) {
			require.Equal(t, dialecttest.Script(events), dialecttest.Script(dialecttest.Decode(p.NewDecoder(nil, nil, limits), chunks...)))
		})
	})
}
