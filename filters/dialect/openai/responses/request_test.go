package responses_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

func decode(t testing.TB, body string) (*llm.Request, llm.Facts, *llm.Error) {
	doc, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
	if err != nil {
		return nil, f, err
	}
	r, err := codec.Client.Decode(f, &doc)
	return r, f, err
}

// A conversation of items is turns, and a chat request to a server without the API.
func TestItemsAreTurns(t *testing.T) {
	r, f, err := decode(t, `{"model":"m","instructions":"Be brief.","input":[
		{"role":"user","content":[{"type":"input_text","text":"What is it?"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"},
			{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BBBB"},{"type":"input_audio","input_audio":{"data":"CCCC","format":"wav"}}]},
		{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm"},{"type":"summary_text","text":"Ah"}],"encrypted_content":"gAAA"},
		{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Look.","annotations":[]}]},
		{"type":"web_search_call","id":"ws_1","status":"completed"},
		{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\":1}"},
		{"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"one"}]},
		{"role":"user","content":"go on"}],
		"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":true}],
		"tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,"max_output_tokens":99,
		"text":{"format":{"type":"json_schema","name":"n","schema":{},"strict":true},"verbosity":"low"},
		"reasoning":{"effort":"high","summary":"auto"},"include":["reasoning.encrypted_content"],"store":false,"user":"u","temperature":0.5}`)
	require.Nil(t, err)
	require.Equal(t, 1, f.Images)
	require.Equal(t, llm.NeedImages|llm.NeedAudio|llm.NeedDocuments|llm.NeedTools|llm.NeedSchema|llm.NeedReasoning, f.Needs)
	require.Equal(t, `model "m" stream=false max=99 n=1 user="u"
system ""
  text "Be brief."
user ""
  text "What is it?"
  image "image/png" url="" data="AAAA" file="" name=""
  document "application/pdf" url="" data="BBBB" file="" name="a.pdf"
  audio "audio/wav" url="" data="CCCC" file="" name=""
assistant ""
  reasoning "Hm\n\nAh" "rs_1:gAAA" redacted=false
  text "Look."
  tool_call "c1" "f" {"a":1}
tool ""
  tool_result "c1" error=false
    text "one"
user ""
  text "go on"
tool "f" "" strict=true {"type":"object"} 
choice 4 "f" parallel=false
sampling {Temperature:0.5 TopP: TopK: Seed: PresencePenalty: FrequencyPenalty:}
format "n" strict=true {}
reasoning "high" 0 off=false
`, dialecttest.Describe(r))
	require.Equal(t, "openai", r.Messages[2].Parts[0].Origin)
	require.Equal(t, "web_search_call", r.Messages[2].Extra[0].Name)
	require.Equal(t, "reasoning/summary", r.Extra[0].Name)

	out, err := openai.Chat().Provider.Encode(nil, r, &dialect.Target{Model: "t", Flavour: "compatible"}, nil)
	require.Nil(t, err)
	require.True(t, json.Valid(out))
	again, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "t"}, nil)
	require.Nil(t, err)
	require.Contains(t, string(again), `{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm\n\nAh"}],"encrypted_content":"gAAA"}`)
	require.Contains(t, string(again), `"include":["reasoning.encrypted_content"]`)
}

// What another target cannot serve is refused with the name of the part.
func TestRefusals(t *testing.T) {
	for body, want := range map[string]string{
		`{"model":"m"}`:           "missing_required_parameter input",
		`{"input":"x"}`:           "missing_required_parameter model",
		`{"model":"m","input":7}`: "invalid_type input",
		`{"model":"m","input":[{"role":"wizard","content":"x"}]}`:            "invalid_value input[0].role",
		`{"model":"m","input":[{"role":"user"}]}`:                            "invalid_type input[0].content",
		`{"model":"m","input":[{"type":"item_reference","id":"msg_1"}]}`:     "unsupported_parameter input[0]",
		`{"model":"m","input":[{"id":"msg_1"}]}`:                             "unsupported_parameter input[0].id",
		`{"model":"m","input":[{"type":"computer_call"}]}`:                   "unsupported_parameter input[0]",
		`{"model":"m","input":[{"type":"function_call_output"}]}`:            "missing_required_parameter input[0].call_id",
		`{"model":"m","previous_response_id":"resp_1"}`:                      "unsupported_parameter previous_response_id",
		`{"model":"m","input":"x","conversation":{"id":"conv_1"}}`:           "unsupported_parameter conversation",
		`{"model":"m","prompt":{"id":"pmpt_1"}}`:                             "unsupported_parameter prompt",
		`{"model":"m","input":"x","background":true}`:                        "unsupported_parameter background",
		`{"model":"m","input":"x","tool_choice":{"type":"mcp"}}`:             "unsupported_parameter tool_choice",
		`{"model":"m","input":"x","tool_choice":"maybe"}`:                    "invalid_value tool_choice",
		`{"model":"m","input":"x","text":{"format":{"type":"xml"}}}`:         "invalid_value text.format.type",
		`{"model":"m","input":"x","text":{"format":{"type":"json_schema"}}}`: "missing_required_parameter text.format.schema",
	} {
		_, f, err := decode(t, body)
		require.NotNil(t, err, body)
		require.Equal(t, want, err.Code+" "+err.Param, body)
		_ = f
	}
	_, f, _ := decode(t, `{"model":"m","previous_response_id":"resp_1"}`)
	require.NotZero(t, f.Needs&llm.NeedState)
}

// A signature of another provider goes to the client and back.
func TestForeignSignatures(t *testing.T) {
	a := &llm.Answer{Choices: []llm.Choice{{Parts: []llm.Part{
		{Kind: llm.ReasoningPart, Text: llm.Escaped("Hm"), Signature: llm.Escaped("c2ln"), Origin: "anthropic"},
		{Kind: llm.ReasoningPart, Redacted: true, Signature: llm.Escaped("b3A="), Origin: "anthropic"},
	}}}}
	out := codec.Client.AppendAnswer(nil, &llm.Facts{}, "m", a, nil)
	var answer struct{ Output json.RawMessage }
	require.NoError(t, json.Unmarshal(out, &answer))
	r, _, err := decode(t, `{"model":"m","input":`+string(answer.Output)+`}`)
	require.Nil(t, err)
	parts := r.Messages[0].Parts
	require.Len(t, parts, 2)
	for i := range parts {
		require.Equal(t, "anthropic", parts[i].Origin)
		require.Equal(t, string(a.Choices[0].Parts[i].Signature), string(parts[i].Signature))
		require.Equal(t, a.Choices[0].Parts[i].Redacted, parts[i].Redacted)
	}
	var l dialect.Ledger
	_, err = codec.Provider.Encode(nil, r, &dialect.Target{Model: "t"}, &l)
	require.Nil(t, err)
	require.Equal(t, "dropped messages/*/reasoning_content", string(l.Append(nil)))
}

// Server tools that others have are told apart, others refused by all.
func TestServerTools(t *testing.T) {
	r, _, err := decode(t, `{"model":"m","input":"x","tools":[{"type":"web_search"},{"type":"code_interpreter","container":{"type":"auto"}}]}`)
	require.Nil(t, err)
	var l dialect.Ledger
	out, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "t"}, &l)
	require.Nil(t, err)
	require.Contains(t, string(out), `"tools":[{"type":"web_search"},{"type":"code_interpreter","container":{"type":"auto"}}]`)
	r, _, err = decode(t, `{"model":"m","input":"x","tools":[{"type":"file_search","vector_store_ids":[]}]}`)
	require.Nil(t, err)
	_, err = codec.Provider.Encode(nil, r, &dialect.Target{Model: "t"}, &l)
	require.NotNil(t, err)
	require.Equal(t, "tools", err.Param)
}

func TestSameRequest(t *testing.T) {
	body := []byte(`{"model": "fast", "input": "x"}`)
	doc, bad := jsonx.Scan(body, codec.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
	require.Nil(t, err)
	var e jsonx.Edits
	codec.Same.Request(&e, &f, &doc, &dialect.Patch{Target: &dialect.Target{Model: "gpt", MaxTokens: 9}, Usage: true})
	require.Equal(t, `{"model": "gpt", "input": "x","max_output_tokens":9}`, string(e.Apply(nil, body)))
}

func FuzzRequest(f *testing.F) {
	f.Add(`{"model":"m","input":"x","stream":true}`)
	f.Add(`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AA"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"x"},{"type":"reasoning","id":"rs","encrypted_content":"postern.anthropic.~x"}],"tools":[{"type":"function","name":"f"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		doc, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
		if bad != nil {
			return
		}
		facts, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
		if err != nil {
			require.Equal(t, 400, err.Status)
			return
		}
		require.True(t, facts.TextBytes >= 0 && facts.TextBytes <= len(body))
		r, err := codec.Client.Decode(facts, &doc)
		if err != nil {
			require.Equal(t, 400, err.Status)
			return
		}
		for _, p := range []dialect.Provider{codec.Provider, openai.Chat().Provider} {
			if out, err := p.Encode(nil, r, &dialect.Target{Model: "t"}, nil); err == nil {
				require.True(t, json.Valid(out), string(out))
			}
		}
	})
}

func FuzzStream(f *testing.F) {
	for _, s := range dialecttest.Archive(f, "testdata/streams.txtar") {
		f.Add(s, uint64(1))
	}
	s := suite(f)
	facts := llm.Facts{Stream: true, Choices: 1}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		s.Junk(t, stream)
		events := dialecttest.Decode(codec.Provider.NewDecoder(&facts, nil, limits), stream)
		out, told := dialecttest.Tap(codec.Same.NewTap(&facts, limits, &dialect.Patch{Model: "x"}), stream)
		dialecttest.Partitions(stream, seed, 3, func(chunks ...[]byte) {
			require.Equal(t, dialecttest.Script(events), dialecttest.Script(dialecttest.Decode(codec.Provider.NewDecoder(&facts, nil, limits), chunks...)))
			cut, again := dialecttest.Tap(codec.Same.NewTap(&facts, limits, &dialect.Patch{Model: "x"}), chunks...)
			require.Equal(t, string(out), string(cut))
			require.Equal(t, dialecttest.Script(told), dialecttest.Script(again))
		})
		if events[len(events)-1].Kind == llm.End {
			written := dialecttest.Encode(codec.Client.NewEncoder(&facts, "m"), events)
			require.NoError(t, grammar.Check(grammar.Responses(), written), string(written))
		}
	})
}
