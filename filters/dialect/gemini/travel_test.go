package gemini_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/gemini"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The thought signature of a call goes to clients of other dialects and back to the
// call, also where their calls have no place for one.
func TestSignaturesTravel(t *testing.T) {
	body := `{"candidates":[{"content":{"parts":[{"functionCall":{"id":"c1","name":"add","args":{"a":2}},"thoughtSignature":"c2ln"}],"role":"model"},"finishReason":"STOP"}],"responseId":"r"}`
	a, err := codec.Provider.Decode(nil, nil, []byte(body))
	require.Nil(t, err)
	answered := func(c dialect.Client) map[string]json.RawMessage {
		out := map[string]json.RawMessage{}
		require.NoError(t, json.Unmarshal(c.AppendAnswer(nil, &llm.Facts{}, "m", a, nil), &out))
		return out
	}
	var choices []struct{ Message json.RawMessage }
	require.NoError(t, json.Unmarshal(answered(openai.Chat().Client)["choices"], &choices))
	asked := map[dialect.Client]string{
		openai.Chat().Client: `{"model":"m","messages":[{"role":"user","content":"2+3?"},` + string(choices[0].Message) +
			`,{"role":"tool","tool_call_id":"c1","content":"5"}]}`,
		anthropic.Messages().Client: `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"2+3?"},{"role":"assistant","content":` +
			string(answered(anthropic.Messages().Client)["content"]) + `},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"5"}]}]}`,
	}
	for client, request := range asked {
		doc, bad := jsonx.Scan([]byte(request), client.Inspected(), jsonx.Limits{})
		require.Nil(t, bad)
		f, err := client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
		require.Nil(t, err)
		r, err := client.Decode(f, &doc)
		require.Nil(t, err)
		out, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "gemini-3-flash"}, nil)
		require.Nil(t, err)
		require.Contains(t, string(out), `{"functionCall":{"id":"c1","name":"add","args":{"a":2}},"thoughtSignature":"c2ln"}`)
		require.Contains(t, string(out), `{"functionResponse":{"id":"c1","name":"add","response":{"output":"5"}}}`)
	}
	stream := `data: ` + body + "\n\n"
	events := dialecttest.Decode(codec.Provider.NewDecoder(&llm.Facts{}, nil, limits), []byte(stream))
	out := dialecttest.Encode(anthropic.Messages().Client.NewEncoder(&llm.Facts{}, "m"), events)
	require.NoError(t, grammar.Check(grammar.Anthropic(), out))
	require.Contains(t, string(out), `{"type":"redacted_thinking","data":"postern.gemini.c2ln"}`)
}

// A call whose signature was lost says so to the models that want one.
func TestLostSignature(t *testing.T) {
	r := decode(t, []byte(`{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}},{"functionResponse":{"name":"g","response":{}}}]}]}`), nil)
	out, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "gemini-3-pro"}, nil)
	require.Nil(t, err)
	require.Contains(t, string(out), `{"functionCall":{"id":"call_1","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"call_2","name":"g","args":{}}}`)
	out, err = codec.Provider.Encode(nil, r, &dialect.Target{Model: "gemini-2.5-pro", Flavour: "vertex"}, nil)
	require.Nil(t, err)
	require.Contains(t, string(out), `[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}}]`)
}

func TestEmbeddings(t *testing.T) {
	for _, api := range apis("batchEmbedContents", "predict") {
		target := dialect.Target{Model: "text-embedding-005"}
		if api.Name == "predict" {
			target.Flavour = "vertex"
		}
		for _, sample := range dialecttest.Requests(llm.Embed) {
			r := sample.Value
			out, err := api.Provider.Encode(nil, &r, &target, nil)
			refused := sample.Name == "tokens" || sample.Name == "image" && api.Name == "predict"
			require.Equal(t, refused, err != nil, sample.Name)
			if refused {
				continue
			}
			doc, bad := jsonx.Scan(out, api.Client.Inspected(), jsonx.Limits{})
			require.Nil(t, bad, string(out))
			f, err := api.Client.Facts(dialect.Call{Operation: llm.Embed, Model: "m"}, &doc)
			require.Nil(t, err)
			back, err := api.Client.Decode(f, &doc)
			require.Nil(t, err)
			r.Base64 = false
			require.Equal(t, dialecttest.Describe(&r), dialecttest.Describe(back))
		}
	}
	for name, body := range map[string]string{
		"embedContent":       `{"embedding":{"values":[0.5,1]}}`,
		"batchEmbedContents": `{"embeddings":[{"values":[0.5,1]},{"values":[2,3]}]}`,
		"predict":            `{"predictions":[{"embeddings":{"statistics":{"truncated":false,"token_count":7},"values":[0.5,1]}}]}`,
	} {
		api := apis(name)[0]
		a, err := api.Provider.Decode(nil, nil, []byte(body))
		require.Nil(t, err)
		require.Equal(t, "[0.5,1]", string(a.Vectors[0].Values))
		require.Equal(t, name == "predict", a.Usage.Input == 7)
		require.JSONEq(t, body, string(api.Client.AppendAnswer(nil, &llm.Facts{}, "m", a, nil)))
		_, err = api.Provider.Decode(nil, nil, []byte(`{}`))
		require.Equal(t, llm.MalformedAnswer, err.Class)
	}
	packed := &llm.Answer{Vectors: []llm.Vector{{Base64: llm.Escaped("AACAPwAAAEA=")}}}
	require.JSONEq(t, `{"embedding":{"values":[1,2]}}`, string(apis("embedContent")[0].Client.AppendAnswer(nil, &llm.Facts{}, "m", packed, nil)))
}

func TestCountTokens(t *testing.T) {
	api := apis("countTokens")[0]
	body := []byte(`{"generateContentRequest":{"model":"models/fast","contents":[{"parts":[{"text":"hi"}]}]}}`)
	doc, bad := jsonx.Scan(body, api.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, err := api.Client.Facts(dialect.Call{Operation: llm.CountTokens, Model: "fast"}, &doc)
	require.Nil(t, err)
	r, err := api.Client.Decode(f, &doc)
	require.Nil(t, err)
	out, err := api.Provider.Encode(nil, r, &dialect.Target{Model: "g"}, nil)
	require.Nil(t, err)
	require.Equal(t, `{"generateContentRequest":{"model":"models/g","contents":[{"role":"user","parts":[{"text":"hi"}]}]}}`, string(out))
	var e jsonx.Edits
	api.Same.Request(&e, &f, &doc, &dialect.Patch{Target: &dialect.Target{Model: "g"}})
	require.Contains(t, string(e.Apply(nil, body)), `"models/g"`)
	a, err := api.Provider.Decode(nil, nil, []byte(`{"totalTokens":31,"promptTokensDetails":[]}`))
	require.Nil(t, err)
	require.Equal(t, `{"totalTokens":31}`, string(api.Client.AppendAnswer(nil, &llm.Facts{}, "m", a, nil)))
	require.Zero(t, a.Usage.Total(), "counting costs nothing")
}

// apis are the dialect's APIs of these names.
func apis(names ...string) (list []*dialect.API) {
	for _, a := range gemini.New().APIs {
		for _, n := range names {
			if a.Name == n {
				list = append(list, a)
			}
		}
	}
	return list
}
