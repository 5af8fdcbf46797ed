package anthropic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
)

var (
	codec  = anthropic.Messages()
	limits = dialect.Limits{Event: 1 << 20}
)

func recordings(t *testing.T) []dialecttest.Recording {
	return dialecttest.Recordings(t, "anthropic-messages.jsonl", "vertex-rawPredict.jsonl", "vertex-streamRawPredict.jsonl")
}

// recorded is what encoding/json reads of a message or of an event.
type recorded struct {
	Type       string
	ID         string
	Content    []recordedBlock
	StopReason string `json:"stop_reason"`
	Usage      *recordedUsage
	Message    *recorded
	Block      recordedBlock `json:"content_block"`
	Delta      struct {
		Text, Thinking string
		Partial        string `json:"partial_json"`
		StopReason     string `json:"stop_reason"`
	}
}

type recordedBlock struct {
	Type, Text, Thinking, Signature, ID, Name string
	Input                                     json.RawMessage
}

type recordedUsage struct {
	Input      *int64 `json:"input_tokens"`
	Output     *int64 `json:"output_tokens"`
	CacheRead  *int64 `json:"cache_read_input_tokens"`
	CacheWrite *int64 `json:"cache_creation_input_tokens"`
}

// merge takes what a later usage says.
func (u *recordedUsage) merge(v *recordedUsage) {
	for _, p := range []struct{ to, from **int64 }{
		{&u.Input, &v.Input}, {&u.Output, &v.Output}, {&u.CacheRead, &v.CacheRead}, {&u.CacheWrite, &v.CacheWrite},
	} {
		if *p.from != nil {
			*p.to = *p.from
		}
	}
}

func requireUsage(t *testing.T, want *recordedUsage, got *llm.Usage) {
	n := func(p *int64) int64 {
		if p == nil {
			return 0
		}
		return *p
	}
	require.True(t, got.Known)
	require.Equal(t, n(want.Input), got.Input)
	require.Equal(t, n(want.CacheRead), got.CacheRead)
	require.Equal(t, n(want.CacheWrite), got.CacheWrite)
	require.Equal(t, n(want.Output), got.OutputTotal())
}

var finishes = map[string]llm.Finish{
	"end_turn": llm.FinishStop, "stop_sequence": llm.FinishStop, "max_tokens": llm.FinishLength,
	"tool_use": llm.FinishTool, "refusal": llm.FinishRefusal, "pause_turn": llm.FinishPause,
}

func TestRecordedAnswers(t *testing.T) {
	for _, r := range recordings(t) {
		if r.Streamed() {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			a, err := codec.Provider.Decode(nil, nil, []byte(r.Response))
			require.Nil(t, err)
			var want recorded
			require.NoError(t, json.Unmarshal([]byte(r.Response), &want))
			require.Equal(t, want.ID, string(a.ID))
			require.Equal(t, finishes[want.StopReason], a.Choices[0].Finish)
			requireUsage(t, want.Usage, &a.Usage)
			parts := a.Choices[0].Parts
			require.Len(t, parts, len(want.Content))
			for i, b := range want.Content {
				requireBlock(t, &b, &parts[i])
			}
		})
	}
}

func requireBlock(t *testing.T, want *recordedBlock, got *llm.Part) {
	switch want.Type {
	case "text":
		require.Equal(t, llm.TextPart, got.Kind)
		require.Equal(t, want.Text, dialecttest.Plain(got.Text))
	case "thinking":
		require.Equal(t, want.Thinking, dialecttest.Plain(got.Text))
		require.Equal(t, want.Signature, dialecttest.Plain(got.Signature))
	case "tool_use":
		require.Equal(t, want.ID+want.Name+string(want.Input), string(got.Call.ID)+string(got.Call.Name)+string(got.Call.Input))
	default:
		require.Equal(t, llm.OtherPart, got.Kind)
		require.Contains(t, string(got.Other), want.Type)
	}
}

func TestRecordedStreams(t *testing.T) {
	for _, r := range recordings(t) {
		if !r.Streamed() {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			stream := []byte(r.Response)
			require.NoError(t, grammar.Check(grammar.Anthropic(), trimmed(r.Response)))
			events := dialecttest.Decode(codec.Provider.NewDecoder(nil, nil, limits), stream)
			requireStream(t, r.Response, events)

			script := dialecttest.Script(events)
			cut := func(chunks ...[]byte) {
				got := dialecttest.Decode(codec.Provider.NewDecoder(nil, nil, limits), chunks...)
				require.Equal(t, script, dialecttest.Script(got))
			}
			dialecttest.Bytes(stream, cut)
			dialecttest.Partitions(stream, 1, 4, cut)
		})
	}
}

// trimmed is a stream without the padding that the API puts behind its data.
func trimmed(stream string) []byte {
	lines := strings.Split(strings.ReplaceAll(stream, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return []byte(strings.Join(lines, "\n"))
}

func requireStream(t *testing.T, stream string, events []llm.Event) {
	var text, thinking, finish string
	var usage recordedUsage
	inputs, hidden := []string{}, false
	for _, l := range strings.Split(stream, "\n") {
		data, ok := strings.CutPrefix(l, "data: ")
		if !ok {
			continue
		}
		var e recorded
		require.NoError(t, json.Unmarshal([]byte(data), &e))
		switch e.Type {
		case "message_start":
			usage.merge(e.Message.Usage)
		case "content_block_start":
			hidden = e.Block.Type != "text" && e.Block.Type != "thinking" && e.Block.Type != "tool_use"
			if e.Block.Type == "tool_use" {
				inputs = append(inputs, "")
			}
		case "content_block_delta":
			text += e.Delta.Text
			thinking += e.Delta.Thinking
			if e.Delta.Partial != "" && !hidden {
				inputs[len(inputs)-1] += e.Delta.Partial
			}
		case "message_delta":
			finish = e.Delta.StopReason
			usage.merge(e.Usage)
		}
	}
	require.Equal(t, text, dialecttest.Said(events, 0, llm.TextPart))
	require.Equal(t, thinking, dialecttest.Said(events, 0, llm.ReasoningPart))
	want := ""
	for _, in := range inputs {
		if in == "" {
			in = "{}"
		}
		want += in
	}
	require.Equal(t, want, dialecttest.Said(events, 0, llm.ToolCallPart))
	requireUsage(t, &usage, dialecttest.Last(events))
	require.Equal(t, llm.End, events[len(events)-1].Kind)
	for _, e := range events {
		if e.Kind == llm.FinishEvent {
			require.Equal(t, finishes[finish], e.Finish)
		}
	}
}
