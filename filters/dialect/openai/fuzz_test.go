package openai_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// FuzzRequest: whatever a client sends, it is refused in words, or what is made
// of it for any provider is JSON.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"x"}]}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`))
	f.Add([]byte(`{"model":"m","stream":true,"stream_options":{"include_usage":false},"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}},{"type":"file","file":{"file_data":"AA"}}]}],"response_format":{"type":"json_schema","json_schema":{"schema":{}}},"reasoning":{"max_tokens":9},"stop":"x"}`))
	target := dialect.Target{Model: "t", MaxTokens: 9}
	f.Fuzz(func(t *testing.T, body []byte) {
		var doc jsonx.Document
		if doc.Scan(body, codec.Client.Inspected(), jsonx.Limits{}) != nil {
			return
		}
		facts, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
		if err != nil {
			require.Equal(t, 400, err.Status)
			return
		}
		require.LessOrEqual(t, facts.TextBytes, len(body))
		require.GreaterOrEqual(t, facts.TextBytes, 0)
		require.True(t, facts.Choices >= 1 && facts.MaxTokens >= 0)
		var edits jsonx.Edits
		codec.Same.Request(&edits, &facts, &doc, &dialect.Patch{Target: &target, Usage: true})
		out := edits.Apply(nil, body)
		require.False(t, edits.Conflict())
		var again jsonx.Document
		require.Nil(t, again.Scan(out, codec.Client.Inspected(), jsonx.Limits{}), string(out))
		patched, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &again)
		require.Nil(t, err)
		require.Equal(t, "t", patched.Model)
		require.True(t, patched.WantsUsage || !patched.Stream)
		require.NotZero(t, patched.MaxTokens)

		r, err := codec.Client.Decode(facts, &doc)
		if err != nil {
			require.Equal(t, 400, err.Status)
			return
		}
		for _, p := range []dialect.Provider{codec.Provider, anthropic.Messages().Provider} {
			if out, err := p.Encode(nil, r, &target, nil); err == nil {
				require.True(t, json.Valid(out), string(out))
			}
		}
	})
}

// FuzzAnswer: whatever a provider sends, as an answer, an error or a stream, it
// ends in one typed way.
func FuzzAnswer(f *testing.F) {
	for _, s := range dialecttest.Archive(f, "testdata/streams.txtar") {
		f.Add(s)
	}
	f.Add([]byte(`{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"x","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}],"reasoning_details":[{"format":"anthropic-claude-v1","text":"x","signature":"y"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`))
	f.Add([]byte(`{"error":{"message":"m","type":"t","code":"c","param":null}}`))
	s := suite(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s.Junk(t, data)
		if a, err := codec.Provider.Decode(nil, nil, data); err == nil {
			require.True(t, json.Valid(codec.Client.AppendAnswer(nil, &llm.Facts{}, "m", a, nil)))
		}
	})
}

// FuzzTap: how a stream is cut makes no difference, and what is read of it obeys
// the grammar once it is written again.
func FuzzTap(f *testing.F) {
	for _, s := range dialecttest.Archive(f, "testdata/streams.txtar") {
		f.Add(s, uint64(1))
	}
	facts := llm.Facts{Stream: true}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		for _, p := range []dialect.Patch{{}, {Usage: true, Model: "shown"}} {
			out, told := dialecttest.Tap(codec.Same.NewTap(&facts, limits, &p), stream)
			events := dialecttest.Decode(codec.Provider.NewDecoder(&facts, nil, limits), stream)
			dialecttest.Partitions(stream, seed, 3, func(chunks ...[]byte) {
				cutOut, cutTold := dialecttest.Tap(codec.Same.NewTap(&facts, limits, &p), chunks...)
				require.Equal(t, string(out), string(cutOut))
				require.Equal(t, dialecttest.Script(told), dialecttest.Script(cutTold))
				cut := dialecttest.Decode(codec.Provider.NewDecoder(&facts, nil, limits), chunks...)
				require.Equal(t, dialecttest.Script(events), dialecttest.Script(cut))
			})
			if events[len(events)-1].Kind == llm.End && !nameless(events) {
				written := dialecttest.Encode(codec.Client.NewEncoder(&facts, "m"), events)
				require.NoError(t, grammar.Check(grammar.OpenAI(false), written), string(written))
			}
		}
	})
}

// nameless reports whether a stream has a tool call without a name, or choices
// with gaps: what a provider must not send and an encoder cannot mend.
func nameless(events []llm.Event) bool {
	seen := map[int]bool{0: true}
	for _, e := range events {
		if e.Kind == llm.BlockStart && e.Part == llm.ToolCallPart && len(e.Name) == 0 {
			return true
		}
		seen[e.Choice] = true
	}
	for i := range seen {
		if !seen[max(i-1, 0)] {
			return true
		}
	}
	return false
}
