package gemini_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/gemini"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

func recognise(method, path, query, key string) (string, dialect.Call) {
	for _, a := range gemini.New().APIs {
		header := func(name string) string { return map[string]string{"x-goog-api-key": key}[name] }
		if c, ok := a.Client.Recognise(&dialect.Line{Method: method, Path: path, Query: query, Header: header}); ok {
			return a.Name, c
		}
	}
	return "", dialect.Call{}
}

func TestRecognise(t *testing.T) {
	place := "/v1/projects/p/locations/l/publishers/google/models/"
	for line, want := range map[string]string{
		"POST /v1beta/models/fast:generateContent":                                            "generateContent fast",
		"POST /v1/models/fast:generateContent?key=k":                                          "generateContent fast",
		"POST /v1beta/models/team%2Ffast:generateContent":                                     "generateContent team/fast",
		"POST /v1beta/models/team/fast:generateContent":                                       "generateContent team/fast",
		"POST /v1beta/models/a:b:generateContent":                                             "generateContent a:b",
		"POST /v1beta/models/fast:streamGenerateContent?alt=sse":                              "generateContent fast stream",
		"POST /v1beta/models/fast:streamGenerateContent?key=k&%24alt=sse":                     "generateContent fast stream",
		"POST /v1beta/models/fast:streamGenerateContent":                                      "streamGenerateContent fast stream",
		"POST /v1beta/models/fast:streamGenerateContent?alt=json":                             "streamGenerateContent fast stream",
		"POST " + place + "fast:generateContent?%24alt=json%3Benum-encoding%3Dint":            "generateContent fast",
		"POST /v1beta1/projects/p/locations/l/publishers/google/models/fast:generateContent":  "generateContent fast",
		"POST /v1beta1/publishers/google/models/fast:streamGenerateContent?alt=sse":           "generateContent fast stream",
		"POST " + place + "embed:predict":                                                     "predict embed",
		"POST /v1beta/models/e:embedContent":                                                  "embedContent e",
		"POST /v1beta/models/e:batchEmbedContents":                                            "batchEmbedContents e",
		"POST /v1beta/models/fast:countTokens":                                                "countTokens fast",
		"POST /v1beta/tunedModels/mine:generateContent":                                       "generateContent tunedModels/mine",
		"GET /v1beta/models":                                                                  "models ",
		"GET /v1beta/models/team%2ffast":                                                      "model team/fast",
		"GET /v1/models/fast":                                                                 " ",
		"GET /v1/models":                                                                      " ",
		"GET /v1beta/models/fast:generateContent":                                             " ",
		"POST /v1beta/models/:generateContent":                                                " ",
		"POST /v1beta/models/fast:deleteContent":                                              " ",
		"POST /v1beta/models/fast":                                                            " ",
		"POST /v1beta/models/fa%0Ast:generateContent":                                         " ",
		"POST /v1beta/models/fa%zzst:generateContent":                                         " ",
		"POST /v1/projects/p/locations/l/publishers/anthropic/models/claude:streamRawPredict": " ",
		"POST /v1/projects/p/publishers/google/models/fast:generateContent":                   " ",
		"POST /v1/chat/completions":                                                           " ",
		"POST /v1/projects/p/locations/l/publishers/google/models/fast:streamGenerateContent": "streamGenerateContent fast stream",
		"POST /v1alpha/models/fast:generateContent?alt=json":                                  "generateContent fast",
		"POST /v1beta/models/gpt-4o%20mini:generateContent":                                   "generateContent gpt-4o mini",
	} {
		method, rest, _ := strings.Cut(line, " ")
		path, query, _ := strings.Cut(rest, "?")
		name, c := recognise(method, path, query, "")
		got := name + " " + c.Model
		if c.Stream {
			got += " stream"
		}
		require.Equal(t, want, got, line)
	}
	for path, want := range map[string]string{"/v1/models": "models", "/v1/models/fast": "model"} {
		name, _ := recognise("GET", path, "", "")
		require.Empty(t, name)
		name, _ = recognise("GET", path, "", "k")
		require.Equal(t, want, name, "the key is this API's")
	}
}

func TestToken(t *testing.T) {
	for _, c := range []struct{ header, value, query, token, name string }{
		{"x-goog-api-key", "k1", "key=k2", "k1", "x-goog-api-key"},
		{"authorization", "Bearer  k3", "", "k3", "authorization"},
		{"authorization", "Basic k3", "", "", ""},
		{"", "", "alt=sse&key=a%2Bb", "a+b", ""},
	} {
		token, name := codec.Client.Token(&dialect.Line{Query: c.query, Header: func(n string) string {
			if n == c.header {
				return c.value
			}
			return ""
		}})
		require.Equal(t, c.token+" "+c.name, token+" "+name)
	}
}

func TestPathAndCredential(t *testing.T) {
	whole, stream := &llm.Facts{Operation: llm.Chat}, &llm.Facts{Operation: llm.Chat, Stream: true}
	for _, c := range []struct {
		target dialect.Target
		f      *llm.Facts
		want   string
	}{
		{dialect.Target{Model: "g"}, whole, "/v1beta/models/g:generateContent"},
		{dialect.Target{Model: "g", BasePath: "/v1"}, stream, "/v1/models/g:streamGenerateContent?alt=sse"},
		{dialect.Target{Model: "g", Version: "v1alpha"}, whole, "/v1alpha/models/g:generateContent"},
		{dialect.Target{Model: "tunedModels/x y"}, whole, "/v1beta/tunedModels/x%20y:generateContent"},
		{dialect.Target{Model: "g", BasePath: "/v1/projects/P/locations/L", Flavour: "vertex"}, stream,
			"/v1/projects/P/locations/L/publishers/google/models/g:streamGenerateContent?alt=sse"},
		{dialect.Target{Model: "endpoints/7", BasePath: "/v1/projects/P/locations/L", Flavour: "vertex"}, whole,
			"/v1/projects/P/locations/L/endpoints/7:generateContent"},
	} {
		require.Equal(t, c.want, codec.Provider.Path(c.f, &c.target))
	}
	name, value := codec.Provider.Credential(&dialect.Target{}, "k")
	require.Equal(t, "x-goog-api-key k", name+" "+value)
	name, value = codec.Provider.Credential(&dialect.Target{Flavour: "vertex"}, "k")
	require.Equal(t, "authorization Bearer k", name+" "+value)
}

// Requests in the other spelling of the JSON form of protocol buffers mean the same.
func TestSnakeCase(t *testing.T) {
	camel := `{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"_-8"}},{"text":"x"}]},
		{"role":"model","parts":[{"functionCall":{"name":"f","args":{"some_key":1}},"thoughtSignature":"c2ln"}]},
		{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"ok"}}}]}],
		"systemInstruction":{"parts":{"text":"s"}},
		"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object"}}]},{"googleSearch":{}}],
		"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},
		"generationConfig":{"maxOutputTokens":"7","topP":0.5,"stopSequences":["a"],"responseMimeType":"application/json",
			"thinkingConfig":{"thinkingBudget":1024},"candidateCount":2,"responseLogprobs":true,"logprobs":3}}`
	snake := camel
	for _, n := range []string{"inlineData inline_data", "mimeType mime_type", "functionCall\" function_call\"", "thoughtSignature thought_signature",
		"functionResponse function_response", "systemInstruction system_instruction", "functionDeclarations function_declarations",
		"parametersJsonSchema parameters_json_schema", "googleSearch google_search", "toolConfig tool_config",
		"functionCallingConfig function_calling_config", "allowedFunctionNames allowed_function_names", "generationConfig generation_config",
		"maxOutputTokens max_output_tokens", "topP top_p", "stopSequences stop_sequences", "responseMimeType response_mime_type",
		"thinkingConfig thinking_config", "thinkingBudget thinking_budget", "candidateCount candidate_count", "responseLogprobs response_logprobs"} {
		a, b, _ := strings.Cut(n, " ")
		snake = strings.ReplaceAll(snake, a, b)
	}
	require.NotEqual(t, camel, snake)
	r := decode(t, []byte(camel), nil)
	require.Equal(t, strings.ReplaceAll(dialecttest.Describe(r), "google_search", "googleSearch"),
		strings.ReplaceAll(dialecttest.Describe(decode(t, []byte(snake), nil)), "google_search", "googleSearch"))
	require.Equal(t, 7, r.MaxTokens)
	require.Equal(t, 2, r.Choices)
	require.Equal(t, 1, r.Images)
	require.Equal(t, llm.NeedTools|llm.NeedImages|llm.NeedReasoning, r.Needs)
	require.Equal(t, `{"some_key":1}`, string(r.Messages[2].Parts[0].Call.Input))
	require.Equal(t, "call_1 f call_1", string(r.Messages[2].Parts[0].Call.ID)+" "+string(r.Messages[3].Parts[0].Result.Name)+" "+string(r.Messages[3].Parts[0].Result.ID))
	require.Equal(t, "/+8=", string(r.Messages[1].Parts[0].Media.Data))
	require.Equal(t, llm.WebSearch, r.Tools[1].Server)
	require.True(t, r.Logprobs)
	require.Equal(t, llm.Number("3"), r.TopLogprobs)
}

func TestBadRequests(t *testing.T) {
	for body, param := range map[string]string{
		`{}`:               "contents",
		`{"contents":"x"}`: "contents",
		`{"contents":[{"role":"robot","parts":[]}]}`:                             "contents.role",
		`{"contents":[],"generationConfig":{"candidateCount":0}}`:                "generationConfig.candidateCount",
		`{"contents":[],"generationConfig":{"maxOutputTokens":{}}}`:              "generationConfig.maxOutputTokens",
		`{"contents":[],"generationConfig":{},"generation_config":{}}`:           "generationConfig",
		`{"contents":[],"tools":[{"functionDeclarations":[{"parameters":[]}]}]}`: "tools.parameters",
		`{"contents":[],"generationConfig":{"responseSchema":{"$ref":"x"}}}`:     "generationConfig.responseSchema",
		`{"contents":[],"systemInstruction":"x"}`:                                "systemInstruction",
	} {
		doc, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
		require.Nil(t, bad)
		f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat, Model: "m"}, &doc)
		if err == nil {
			_, err = codec.Client.Decode(f, &doc)
		}
		require.NotNil(t, err, body)
		require.Equal(t, 400, err.Status)
		require.Equal(t, param, err.Param, body)
	}
}

// A signature of another maker comes back from a client as it went, and is base64 on the way.
func TestForeignSignatures(t *testing.T) {
	for _, p := range []llm.Part{
		{Kind: llm.ReasoningPart, Text: llm.Escaped("Hm."), Signature: llm.Escaped(`c2ln\/w==`), Origin: "anthropic"},
		{Kind: llm.ReasoningPart, Redacted: true, Signature: llm.Escaped("b3BhcXVl"), Origin: "anthropic"},
		{Kind: llm.ToolCallPart, Call: llm.ToolCall{ID: llm.Escaped("c"), Name: llm.Escaped("f"), Input: llm.Raw("{}")}, Signature: llm.Escaped("rs_1:xyz"), Origin: "openai"},
		{Kind: llm.TextPart, Text: llm.Escaped("42"), Signature: llm.Escaped("c2ln"), Origin: "gemini"},
	} {
		a := &llm.Answer{Choices: []llm.Choice{{Parts: []llm.Part{p}}}}
		out := codec.Client.AppendAnswer(nil, &llm.Facts{}, "m", a, nil)
		var sdk struct {
			Candidates []struct {
				Content json.RawMessage
			}
		}
		require.NoError(t, json.Unmarshal(out, &sdk))
		r := decode(t, []byte(`{"contents":[`+string(sdk.Candidates[0].Content)+`]}`), nil)
		got := r.Messages[0].Parts[0]
		require.Equal(t, p.Origin+" "+dialecttest.Plain(p.Signature), got.Origin+" "+dialecttest.Plain(got.Signature))
		require.Equal(t, p.Redacted, got.Redacted)
		require.Equal(t, p.Kind, got.Kind)
		var typed struct {
			Parts []struct {
				ThoughtSignature []byte
			}
		}
		require.NoError(t, json.Unmarshal(sdk.Candidates[0].Content, &typed))
	}
}

// SDKs send {} for the empty text that a stream ends in.
func TestEmptyPart(t *testing.T) {
	r := decode(t, []byte(`{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}},{}]}]}`), nil)
	parts := r.Messages[0].Parts
	require.Len(t, parts, 2)
	require.Equal(t, llm.TextPart, parts[1].Kind)
	require.Empty(t, parts[1].Text)
}

// Chats of the SDKs keep the pieces of a stream as turns: they are one turn again.
func TestPieces(t *testing.T) {
	r := decode(t, []byte(`{"contents":[{"role":"user","parts":[{"text":"q"}]},
		{"role":"model","parts":[{"text":"H","thought":true}]},{"role":"model","parts":[{"text":"m","thought":true}]},
		{"role":"model","parts":[{"text":"","thought":true,"thoughtSignature":"bzpwb3N0ZXJuLmFudGhyb3BpYy5zaWc="}]},
		{"role":"model","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"},{"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}}]},
		{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"error":"no"}}},{"functionResponse":{"name":"f","response":{"a":1}}}]}]}`), nil)
	require.Equal(t, `model "m" stream=false max=0 n=1 user=""
user ""
  text "q"
assistant ""
  reasoning "Hm" "sig" redacted=false
  text "ab"
  tool_call "call_1" "f" {}
  tool_call "call_2" "f" {}
user ""
  tool_result "call_1" error=true
    text "no"
  tool_result "call_2" error=false
    text "{\"a\":1}"
choice 0 ""
sampling {Temperature: TopP: TopK: Seed: PresencePenalty: FrequencyPenalty:}
`, dialecttest.Describe(r))
	require.Equal(t, "anthropic", r.Messages[1].Parts[0].Origin)
}

// A stream for a client that gets an array has the elements that are events for others.
func TestArray(t *testing.T) {
	api := gemini.New().APIs[1]
	require.Equal(t, "streamGenerateContent", api.Name)
	f := llm.Facts{Stream: true, Choices: 1}
	require.Equal(t, "application/json", api.Client.StreamType(&f))
	for _, sample := range dialecttest.Streams(llm.Chat) {
		events := dialecttest.Encode(codec.Client.NewEncoder(&f, "m"), sample.Value)
		array := dialecttest.Encode(api.Client.NewEncoder(&f, "m"), sample.Value)
		require.Equal(t, dataOf(events), elementsOf(t, array))
	}
	failure := &llm.Error{Class: llm.Overloaded, Status: 503, Code: "c", Message: "m"}
	for _, before := range [][]llm.Event{nil, {{Kind: llm.Start}}, {{Kind: llm.Start}, {Kind: llm.BlockStart}, {Kind: llm.Delta, Text: llm.Escaped("x")}}} {
		out := dialecttest.Encode(api.Client.NewEncoder(&f, "m"), append(before, llm.Event{Kind: llm.Failure, Err: failure}))
		list := elementsOf(t, api.Client.AppendStreamError(out, failure, "r"))
		require.Contains(t, list[len(list)-1], "UNAVAILABLE")
	}
}

// What a tap makes of a stream for such a client are its events' data, wherever it is cut.
func TestArrayTap(t *testing.T) {
	api := gemini.New().APIs[1]
	f := llm.Facts{Stream: true, Choices: 1}
	failure := &llm.Error{Class: llm.Overloaded, Status: 503, Code: "c", Message: "m"}
	for name, stream := range dialecttest.Archive(t, "testdata/streams.txtar") {
		want, told := dialecttest.Tap(codec.Same.NewTap(&f, limits, &dialect.Patch{Model: "shown"}), stream)
		failed := told[len(told)-1].Kind == llm.Failure
		dialecttest.OneCut(stream, func(chunks ...[]byte) {
			out, events := dialecttest.Tap(api.Same.NewTap(&f, limits, &dialect.Patch{Model: "shown"}), chunks...)
			require.Equal(t, dialecttest.Script(told), dialecttest.Script(events), name)
			list := dataOf(want)
			if failed {
				out = api.Client.AppendStreamError(out, failure, "r")
				list = append(list, string(api.Client.AppendError(nil, failure, "r")))
			}
			require.Equal(t, list, elementsOf(t, out), name)
		})
	}
}

func dataOf(stream []byte) (list []string) {
	for _, l := range strings.Split(string(stream), "\n") {
		if data, ok := strings.CutPrefix(l, "data: "); ok {
			list = append(list, data)
		}
	}
	return list
}

func elementsOf(t *testing.T, array []byte) (list []string) {
	var raw []json.RawMessage
	require.NoError(t, json.Unmarshal(array, &raw), string(array))
	for _, r := range raw {
		list = append(list, string(r))
	}
	return list
}

func TestErrorAnswer(t *testing.T) {
	out := codec.Client.AppendError(nil, &llm.Error{Class: llm.RateLimited, Status: 429, Code: "rate_limit_exceeded", Message: "Slow down.", After: 1500 * time.Millisecond}, "req-1")
	require.JSONEq(t, `{"error":{"code":429,"message":"Slow down.","status":"RESOURCE_EXHAUSTED","details":[
		{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"rate_limit_exceeded","domain":"postern","metadata":{"request_id":"req-1"}},
		{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}}`, string(out))
}

func TestModels(t *testing.T) {
	for _, a := range gemini.New().APIs {
		switch a.Name {
		case "models":
			require.Contains(t, string(a.Client.AppendModels(nil, []string{"a", "b"})), `{"models":[{"name":"models/a","displayName":"a"`)
		case "model":
			require.Contains(t, string(a.Client.AppendModels(nil, []string{"a"})), `{"name":"models/a","displayName":"a"`)
		}
	}
}

func TestSame(t *testing.T) {
	for body, want := range map[string]string{
		`{"contents":[]}`:                                                                `{"contents":[],"generationConfig":{"maxOutputTokens":9}}`,
		`{"contents":[],"generationConfig":{}}`:                                          `{"contents":[],"generationConfig":{"maxOutputTokens":9}}`,
		`{"contents":[],"generation_config":{"topK":1}}`:                                 `{"contents":[],"generation_config":{"maxOutputTokens":9,"topK":1}}`,
		`{"contents":[],"generationConfig":{"max_output_tokens":null}}`:                  `{"contents":[],"generationConfig":{"max_output_tokens":9}}`,
		`{"contents":[],"generationConfig":{"maxOutputTokens":5}}`:                       `{"contents":[],"generationConfig":{"maxOutputTokens":5}}`,
		`{"model":"models/fast","contents":[],"generationConfig":{"maxOutputTokens":5}}`: `{"model":"models/g","contents":[],"generationConfig":{"maxOutputTokens":5}}`,
	} {
		doc, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
		require.Nil(t, bad)
		f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat, Model: "fast"}, &doc)
		require.Nil(t, err)
		var e jsonx.Edits
		codec.Same.Request(&e, &f, &doc, &dialect.Patch{Target: &dialect.Target{Model: "g", MaxTokens: 9}})
		require.Equal(t, want, string(e.Apply(nil, []byte(body))))
	}
	body := []byte(`{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3},"modelVersion":"g"}`)
	var e jsonx.Edits
	usage, finish, err := codec.Same.Answer(&e, &llm.Facts{}, body, &dialect.Patch{Model: "fast"})
	require.Nil(t, err)
	require.Equal(t, llm.FinishFilter, finish)
	require.Equal(t, int64(3), usage.Total())
	require.Contains(t, string(e.Apply(nil, body)), `"modelVersion":"fast"`)
}
