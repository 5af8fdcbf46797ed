package cohere_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/cohere"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// FuzzAnswer: whatever a provider sends, as an answer, an error or a stream, it
// ends in one typed way, however it is cut, and what is made of it is JSON.
func FuzzAnswer(f *testing.F) {
	for _, file := range []string{"testdata/streams.txtar", "testdata/lines.txtar"} {
		for _, s := range dialecttest.Archive(f, file) {
			f.Add(s, uint64(1))
		}
	}
	f.Add([]byte(`{"id":"1","message":{"role":"assistant","tool_plan":"p","content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"x"}],"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}],"citations":[{"start":0,"end":1,"sources":[{"type":"tool","id":"a:0","tool_output":{"content":"x"}}]}]},"finish_reason":"COMPLETE","logprobs":[{"text":"x","logprobs":[-1]}],"usage":{"tokens":{"input_tokens":1,"output_tokens":2}}}`), uint64(1))
	f.Add([]byte(`{"id":"1","embeddings":{"float":[[1,2]],"base64":["AA=="]},"meta":{"billed_units":{"input_tokens":3}}}`), uint64(1))
	f.Add([]byte(`{"id":"1","results":[{"index":1,"relevance_score":0.5,"document":{"text":"x"}}]}`), uint64(1))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		for _, api := range cohere.New().APIs {
			dialecttest.Suite{API: api}.Junk(t, data)
			facts := llm.Facts{Operation: api.Operation, Choices: 1}
			if a, err := api.Provider.Decode(&facts, nil, data); err == nil && len(a.Vectors) == 0 {
				require.True(t, json.Valid(api.Client.AppendAnswer(nil, &facts, "m", a, nil)))
			}
			events := dialecttest.Decode(api.Provider.NewDecoder(&facts, nil, limits), data)
			dialecttest.Partitions(data, seed, 2, func(chunks ...[]byte) {
				cut := dialecttest.Decode(api.Provider.NewDecoder(&facts, nil, limits), chunks...)
				require.Equal(t, dialecttest.Script(events), dialecttest.Script(cut))
			})
			if last := events[len(events)-1]; api.Name == "chat" && last.Kind == llm.End && named(events) {
				out := dialecttest.Encode(api.Client.NewEncoder(&facts, "m"), events)
				require.NoError(t, grammar.Check(grammar.Cohere(), out), string(out))
			}
		}
	})
}

// named reports whether all calls have names, without which none can be told.
func named(events []llm.Event) bool {
	for _, e := range events {
		if e.Kind == llm.BlockStart && e.Part == llm.ToolCallPart && len(e.Name) == 0 {
			return false
		}
	}
	return true
}

// FuzzRequest: whatever a client sends, it is refused in words, or what is made
// of it is JSON.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"document","document":{"data":{"a":1}}}]},{"role":"assistant","tool_plan":"p","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"r"}],"documents":["d",{"id":"1","data":{"text":"t"}}],"tools":[{"type":"function","function":{"name":"f"}}],"strict_tools":true,"tool_choice":"REQUIRED","response_format":{"type":"json_object","json_schema":{}},"thinking":{"type":"enabled","token_budget":9},"p":0.5,"k":3,"stop_sequences":["a"],"logprobs":true,"safety_mode":"OFF"}`))
	f.Add([]byte(`{"model":"m","texts":["a"],"images":["data:image/png;base64,AA"],"inputs":[{"content":[{"type":"text","text":"x"}]}],"input_type":"search_query","embedding_types":["base64"],"output_dimension":256,"truncate":"END"}`))
	f.Add([]byte(`{"model":"m","query":"q","documents":["a",{"text":"b"},{"c":1}],"top_n":2,"return_documents":true}`))
	f.Add([]byte(`{"model":"m","message":"x","prompt":"y","stream":true,"num_generations":2}`))
	target := dialect.Target{Model: "t", MaxTokens: 9}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, api := range cohere.New().APIs {
			var doc, again jsonx.Document
			if doc.Scan(body, api.Client.Inspected(), jsonx.Limits{}) != nil {
				continue
			}
			facts, err := api.Client.Facts(dialect.Call{Operation: api.Operation}, &doc)
			if err != nil {
				require.Equal(t, 400, err.Status)
				continue
			}
			require.True(t, facts.TextBytes >= 0 && facts.MaxTokens >= 0)
			var edits jsonx.Edits
			api.Same.Request(&edits, &facts, &doc, &dialect.Patch{Target: &target})
			require.Nil(t, again.Scan(edits.Apply(nil, body), api.Client.Inspected(), jsonx.Limits{}))
			r, err := api.Client.Decode(facts, &doc)
			if err != nil {
				require.Equal(t, 400, err.Status)
				continue
			}
			if out, err := api.Provider.Encode(nil, r, &target, nil); err == nil {
				require.True(t, json.Valid(out), string(out))
			}
		}
	})
}
