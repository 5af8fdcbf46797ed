package openai_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

func TestRecognise(t *testing.T) {
	for line, want := range map[string]llm.Operation{
		"POST /v1/chat/completions": llm.Chat, "GET /v1/models": llm.Models,
		"GET /v1/chat/completions": 0, "POST /v1/models": 0, "POST /v1/chat/completions/": 0, "POST /v1/embeddings": 0, "GET /": 0,
	} {
		method, path, _ := strings.Cut(line, " ")
		call, ok := codec.Client.Recognise(&dialect.Line{Method: method, Path: path})
		require.Equal(t, want != 0, ok, line)
		require.Equal(t, want, call.Operation, line)
	}
}

// Azure's clients name the model in the path.
func TestAzurePaths(t *testing.T) {
	for path, model := range map[string]string{
		"/openai/deployments/gpt-4o/chat/completions": "gpt-4o", "/openai/v1/chat/completions": "", "/openai/deployments//chat/completions": "-",
		"/openai/deployments/gpt-4o": "-",
	} {
		call, ok := codec.Client.Recognise(&dialect.Line{Method: "POST", Path: path})
		require.Equal(t, model != "-", ok, path)
		if ok {
			require.Equal(t, model, call.Model)
		}
	}
	doc := scan(t, []byte(`{"messages":[]}`))
	f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat, Model: "gpt-4o"}, doc)
	require.Nil(t, err)
	require.Equal(t, "gpt-4o", f.Model)
	token, header := codec.Client.Token(&dialect.Line{Header: func(name string) string { return map[string]string{"api-key": "k"}[name] }})
	require.Equal(t, "k api-key", token+" "+header)
}

func TestOneModel(t *testing.T) {
	one := openai.Model().Client
	call, ok := one.Recognise(&dialect.Line{Method: "GET", Path: "/v1/models/a/b"})
	require.True(t, ok)
	require.Equal(t, dialect.Call{Operation: llm.Models, Model: "a/b"}, call)
	_, ok = one.Recognise(&dialect.Line{Method: "DELETE", Path: "/v1/models/a"})
	require.False(t, ok)
	require.JSONEq(t, `{"id":"m","object":"model","created":0,"owned_by":"postern"}`, string(one.AppendModels(nil, []string{"m"})))
}

func TestToken(t *testing.T) {
	for value, want := range map[string]string{
		"Bearer abc": "abc", "bearer  abc": "abc", "BEARER a b": "a b", "Basic abc": "", "Bearer": "", "Bearer ": "", "": "", "Bearerabc": "",
	} {
		token, header := codec.Client.Token(&dialect.Line{Header: func(name string) string {
			if name != "authorization" {
				return ""
			}
			return value
		}})
		require.Equal(t, want, token, value)
		require.Equal(t, want != "", header == "authorization", value)
	}
}

func TestFacts(t *testing.T) {
	body := `{"model":"a\u0062","messages":[{"role":"user","content":[{"type":"text","text":"what"},` +
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,` + strings.Repeat("A", 1000) + `"}},` +
		`{"type":"image\u005furl","image\u005furl":{"url":"https://x/y.png"}},` +
		`{"type":"input_audio","input_audio":{"data":"` + strings.Repeat("A", 6400) + `","format":"wav"}}]}],` +
		`"stream":true,"stream_options":{"include_usage":true},"max_tokens":10.0,"max_completion_tokens":5,"n":3,` +
		`"tools":[{},{}],"functions":[{}],"user":"u\n","safety_identifier":"s","temperature":null}`
	f, _ := facts(t, []byte(body))
	require.NotZero(t, f.Opening)
	f.Opening = 0
	require.Equal(t, llm.Facts{
		Operation: llm.Chat, Model: "ab", Stream: true, WantsUsage: true, MaxTokens: 10, Choices: 3, Tools: 3, Images: 2,
		Needs: llm.NeedTools | llm.NeedImages | llm.NeedAudio | llm.NeedStream,
		User:  "u\n", TextBytes: len(body) - 1000 - 6402 + 100,
	}, f)

	f, _ = facts(t, []byte(`{"model":"m","messages":[],"stream":null,"max_tokens":null,"n":null,"tools":null,"safety_identifier":"s"}`))
	require.Equal(t, llm.Facts{Operation: llm.Chat, Model: "m", Choices: 1, User: "s", TextBytes: f.TextBytes, Opening: f.Opening}, f)
}

func TestWrongFacts(t *testing.T) {
	for body, param := range map[string]string{
		`{"messages":[]}`:                                   "model",
		`{"model":"","messages":[]}`:                        "model",
		`{"model":null,"messages":[]}`:                      "model",
		`{"model":1,"messages":[]}`:                         "model",
		`{"model":"m"}`:                                     "messages",
		`{"model":"m","messages":null}`:                     "messages",
		`{"model":"m","messages":{}}`:                       "messages",
		`{"model":"m","messages":"x"}`:                      "messages",
		`{"model":"m","messages":[],"stream":"yes"}`:        "stream",
		`{"model":"m","messages":[],"stream_options":[]}`:   "stream_options",
		`{"model":"m","messages":[],"max_tokens":"1"}`:      "max_tokens",
		`{"model":"m","messages":[],"max_tokens":1.5}`:      "max_tokens",
		`{"model":"m","messages":[],"max_tokens":1e99}`:     "max_tokens",
		`{"model":"m","messages":[],"n":0}`:                 "n",
		`{"model":"m","messages":[],"n":-1}`:                "n",
		`{"model":"m","messages":[],"n":129}`:               "n",
		`{"model":"m","messages":[],"n":1e30}`:              "n",
		`{"model":"m","messages":[],"tools":{}}`:            "tools",
		`{"model":"m","messages":[],"user":7}`:              "user",
		`{"model":"m","messages":[],"safety_identifier":7}`: "safety_identifier",
	} {
		doc := scan(t, []byte(body))
		_, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, doc)
		require.NotNil(t, err, body)
		require.Equal(t, param, err.Param, body)
		require.Equal(t, llm.ClientError, err.Class)
		require.Equal(t, 400, err.Status)
	}
	for _, body := range []string{`{"model":"m","model":"n","messages":[]}`, `{"model":"m","m\u006fdel":"n","messages":[]}`, `{"stream":true,"stre\u0061m":false}`} {
		_, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
		require.NotNil(t, bad, body)
		require.Equal(t, "duplicate_key", bad.Code)
	}
}

func TestDecode(t *testing.T) {
	const head = `{"model":"m","messages":[{"role":"user","content":"x"}],`
	for member, check := range map[string]func(*llm.Request){
		`"stop":"a"`:                  func(r *llm.Request) { require.Equal(t, []llm.Escaped{llm.Escaped("a")}, r.Stop) },
		`"stop":["a","b"]`:            func(r *llm.Request) { require.Len(t, r.Stop, 2) },
		`"tool_choice":"required"`:    func(r *llm.Request) { require.Equal(t, llm.ToolsRequired, r.ToolChoice.Mode) },
		`"parallel_tool_calls":false`: func(r *llm.Request) { require.False(t, *r.ToolChoice.Parallel) },
		`"tool_choice":{"type":"function","function":{"name":"f"}}`: func(r *llm.Request) {
			require.Equal(t, llm.ToolChoice{Mode: llm.ToolNamed, Name: llm.Escaped("f")}, r.ToolChoice)
		},
		`"response_format":{"type":"text"}`:        func(r *llm.Request) { require.Nil(t, r.Format) },
		`"response_format":{"type":"json_object"}`: func(r *llm.Request) { require.Equal(t, &llm.Format{}, r.Format) },
		`"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{ "a":1 }}}`: func(r *llm.Request) {
			require.Equal(t, &llm.Format{Name: llm.Escaped("n"), Strict: true, Schema: llm.Raw(`{ "a":1 }`)}, r.Format)
		},
		`"reasoning_effort":"low"`:        func(r *llm.Request) { require.Equal(t, &llm.Reasoning{Effort: llm.Escaped("low")}, r.Reasoning) },
		`"reasoning_effort":"none"`:       func(r *llm.Request) { require.Equal(t, &llm.Reasoning{Off: true}, r.Reasoning) },
		`"reasoning":{"max_tokens":2000}`: func(r *llm.Request) { require.Equal(t, &llm.Reasoning{Budget: 2000}, r.Reasoning) },
		`"temperature":1.50,"top_p":1e0,"seed":-1`: func(r *llm.Request) {
			require.Equal(t, llm.Sampling{Temperature: "1.50", TopP: "1e0", Seed: "-1"}, r.Sampling)
		},
		`"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}},{"type":"custom","custom":{}}]`: func(r *llm.Request) {
			require.Equal(t, llm.Tool{Name: llm.Escaped("f"), Schema: llm.Raw(`{"type":"object"}`), Strict: true}, r.Tools[0])
			require.Equal(t, `{"type":"custom","custom":{}}`, string(r.Tools[1].Other))
		},
		`"logit_bias":{"5":1},"x":[1],"store":null,"logprobs":true,"top_logprobs":2,"service_tier":"flex","verbosity":"low"`: func(r *llm.Request) {
			require.Equal(t, []llm.Field{{Name: "x", Value: llm.Raw("[1]")}}, r.Extra)
			require.Equal(t, `{"5":1} true 2 flex low`, fmt.Sprintf("%s %t %s %s %s", r.LogitBias, r.Logprobs, r.TopLogprobs, r.ServiceTier, r.Verbosity))
		},
		`"web_search_options":{"search_context_size":"low"},"random_seed":5`: func(r *llm.Request) {
			require.Equal(t, []llm.Tool{{Server: llm.WebSearch, Other: llm.Raw(`{"search_context_size":"low"}`)}}, r.Tools)
			require.Equal(t, llm.Number("5"), r.Sampling.Seed)
		},
	} {
		f, doc := facts(t, []byte(head+member+"}"))
		r, err := codec.Client.Decode(f, doc)
		require.Nil(t, err, member)
		check(r)
	}
}

func TestDecodeRefuses(t *testing.T) {
	const head = `{"model":"m","messages":[`
	for body, want := range map[string]string{
		head + `],"modalities":["text","audio"]}`:            "unsupported_parameter modalities",
		head + `],"functions":[{}]}`:                         "unsupported_parameter functions",
		head + `],"tool_choice":"maybe"}`:                    "invalid_value tool_choice",
		head + `],"tool_choice":{"type":"allowed_tools"}}`:   "unsupported_parameter tool_choice",
		head + `],"response_format":{"type":"xml"}}`:         "invalid_value response_format.type",
		head + `],"response_format":{"type":"json_schema"}}`: "missing_required_parameter response_format.json_schema.schema",
		head + `],"stop":[1]}`:                               "invalid_type stop",
		head + `],"temperature":"hot"}`:                      "invalid_type temperature",
		head + `{"role":"wizard","content":"x"}]}`:           "invalid_value messages[0].role",
		head + `7]}`:                           "invalid_value messages[0].role",
		head + `{"role":"user","content":7}]}`: "invalid_type messages[0].content",
		head + `{"role":"user","content":"x"},{"role":"tool","content":"x"}]}`: "missing_required_parameter messages[1].tool_call_id",
		head + `{"role":"assistant","tool_calls":{}}]}`:                        "invalid_type messages[0].tool_calls",
		head + `{"role":"function","content":"x"}]}`:                           "unsupported_parameter messages[0].role",
	} {
		f, doc := facts(t, []byte(body))
		_, err := codec.Client.Decode(f, doc)
		require.NotNil(t, err, body)
		require.Equal(t, want, err.Code+" "+err.Param, body)
		require.Equal(t, 400, err.Status)
	}
}
