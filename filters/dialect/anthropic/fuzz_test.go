package anthropic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// FuzzAnswer: whatever a provider sends, as an answer, an error or a stream, it
// ends in one typed way, however it is cut, and a client of another dialect gets
// JSON.
func FuzzAnswer(f *testing.F) {
	for _, s := range dialecttest.Archive(f, "testdata/streams.txtar") {
		f.Add(s, uint64(1))
	}
	f.Add([]byte(`{"id":"m","content":[{"type":"text","text":"x"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}},{"type":"thinking","thinking":"x","signature":"y"},{"type":"redacted_thinking","data":"z"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}`), uint64(1))
	f.Add([]byte(`{"type":"error","error":{"type":"overloaded_error","message":"m"}}`), uint64(1))
	s := suite(f)
	client := openai.Chat().Client
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		s.Junk(t, data)
		if a, err := codec.Provider.Decode(nil, nil, data); err == nil {
			require.True(t, json.Valid(client.AppendAnswer(nil, &llm.Facts{}, "m", a, nil)))
		}
		script := dialecttest.Script(dialecttest.Decode(codec.Provider.NewDecoder(nil, nil, limits), data))
		dialecttest.Partitions(data, seed, 2, func(chunks ...[]byte) {
			events := dialecttest.Decode(codec.Provider.NewDecoder(nil, nil, limits), chunks...)
			require.Equal(t, script, dialecttest.Script(events))
			for _, l := range splitData(dialecttest.Encode(client.NewEncoder(&llm.Facts{}, "m"), events)) {
				require.True(t, l == "[DONE]" || json.Valid([]byte(l)), l)
			}
		})
	})
}

// splitData returns the data lines of an emitted stream.
func splitData(stream []byte) []string {
	var list []string
	for _, l := range strings.Split(string(stream), "\n") {
		if data, ok := strings.CutPrefix(l, "data: "); ok {
			list = append(list, data)
		}
	}
	return list
}

// FuzzRequest: whatever a client sends, it is refused in words, or what is made
// of it for any provider is JSON.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m","max_tokens":9,"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r","is_error":true},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}}]}],"tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},"thinking":{"type":"enabled","budget_tokens":2000},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{}}},"metadata":{"user_id":"u"},"stop_sequences":["a"]}`))
	target := dialect.Target{Model: "t", MaxTokens: 9}
	f.Fuzz(func(t *testing.T, body []byte) {
		var doc, again jsonx.Document
		if doc.Scan(body, codec.Client.Inspected(), jsonx.Limits{}) != nil {
			return
		}
		facts, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
		if err != nil {
			require.Equal(t, 400, err.Status)
			return
		}
		require.True(t, facts.TextBytes >= 0 && facts.MaxTokens >= 0)
		var edits jsonx.Edits
		codec.Same.Request(&edits, &facts, &doc, &dialect.Patch{Target: &target})
		out := edits.Apply(nil, body)
		require.Nil(t, again.Scan(out, codec.Client.Inspected(), jsonx.Limits{}), string(out))
		r, err := codec.Client.Decode(facts, &doc)
		if err != nil {
			require.Equal(t, 400, err.Status)
			return
		}
		for _, p := range []dialect.Provider{codec.Provider, openai.Chat().Provider} {
			if out, err := p.Encode(nil, r, &target, nil); err == nil {
				require.True(t, json.Valid(out), string(out))
			}
		}
	})
}
