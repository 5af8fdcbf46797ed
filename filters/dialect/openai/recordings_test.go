package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

var (
	codec  = openai.Chat()
	limits = dialect.Limits{Event: 1 << 20}
)

func recordings(t *testing.T) []dialecttest.Recording {
	return dialecttest.Recordings(t, "openai-chat-completions.jsonl", "openai-compatible.jsonl", "azure-chat.jsonl")
}

func scan(t testing.TB, body []byte) *jsonx.Document {
	var doc jsonx.Document
	if err := doc.Scan(body, codec.Client.Inspected(), jsonx.Limits{}); err != nil {
		t.Fatal(err)
	}
	return &doc
}

func facts(t testing.TB, body []byte) (llm.Facts, *jsonx.Document) {
	doc := scan(t, body)
	f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, doc)
	if err != nil {
		t.Fatal(err)
	}
	return f, doc
}

// reference is what encoding/json reads of a request.
type reference struct {
	Model               string
	Stream              bool
	Options             map[string]bool `json:"stream_options"`
	MaxTokens           int             `json:"max_tokens"`
	MaxCompletionTokens int             `json:"max_completion_tokens"`
	N                   *int
	Messages            []struct {
		Role    string
		Content json.RawMessage
	}
	Tools     []json.RawMessage
	Functions []json.RawMessage
}

func TestRecordedRequests(t *testing.T) {
	for _, r := range recordings(t) {
		t.Run(r.ID, func(t *testing.T) {
			f, doc := facts(t, []byte(r.Request))
			var want reference
			require.NoError(t, json.Unmarshal([]byte(r.Request), &want))
			require.Equal(t, want.Model, f.Model)
			require.Equal(t, want.Stream, f.Stream)
			require.Equal(t, want.Options["include_usage"], f.WantsUsage)
			require.Equal(t, max(want.MaxTokens, want.MaxCompletionTokens), f.MaxTokens)
			require.Equal(t, len(want.Tools)+len(want.Functions), f.Tools)
			require.Equal(t, strings.Count(r.Request, `"image_url"`)/2, f.Images)
			if want.N != nil {
				require.Equal(t, *want.N, f.Choices)
			}

			var edits jsonx.Edits
			codec.Same.Request(&edits, &f, doc, &dialect.Patch{Target: &dialect.Target{Model: f.Model}})
			require.Equal(t, r.Request, string(edits.Apply(nil, doc.Body())), "nothing to change")

			q, err := codec.Client.Decode(f, doc)
			if err != nil {
				require.Contains(t, []string{"logprobs", "modalities", "web_search_options", "functions"}, err.Param)
				return
			}
			require.Len(t, q.Messages, len(want.Messages))
			for i, m := range want.Messages {
				var s string
				if json.Unmarshal(m.Content, &s) == nil && s != "" {
					require.Equal(t, s, spoken(q.Messages[i].Parts))
				}
			}
			out, bad := codec.Provider.Encode(nil, q, &dialect.Target{Model: f.Model, Flavour: "compatible"}, nil)
			if bad != nil { // a search, which only OpenAI has
				require.Equal(t, "tools", bad.Param)
				require.Contains(t, r.Request, "web_search_options")
				return
			}
			again, doc2 := facts(t, out)
			q2, err := codec.Client.Decode(again, doc2)
			require.Nil(t, err)
			for i := range q.Messages { // which the flavour does not tell apart
				if q.Messages[i].Role == llm.Developer {
					q.Messages[i].Role = llm.System
				}
			}
			require.Equal(t, dialecttest.Describe(q), dialecttest.Describe(q2))
		})
	}
}

func spoken(parts []llm.Part) string {
	var b strings.Builder
	for i := range parts {
		switch p := &parts[i]; p.Kind {
		case llm.TextPart:
			b.WriteString(dialecttest.Plain(p.Text))
		case llm.ToolResultPart:
			b.WriteString(spoken(p.Result.Parts))
		}
	}
	return b.String()
}

// recorded is what encoding/json reads of an answer or a chunk.
type recorded struct {
	ID      string
	Choices []struct {
		Index        int
		FinishReason *string `json:"finish_reason"`
		Message      message
		Delta        message
	}
	Usage *recordedUsage
	XGroq struct{ Usage *recordedUsage } `json:"x_groq"`
}

type message struct {
	Content   *string
	Refusal   *string
	ToolCalls []struct {
		Index    int
		ID       string
		Function struct{ Name, Arguments string }
	} `json:"tool_calls"`
}

type recordedUsage struct {
	Prompt     int64 `json:"prompt_tokens"`
	Completion int64 `json:"completion_tokens"`
	Total      int64 `json:"total_tokens"`
	In         struct {
		Cached int64 `json:"cached_tokens"`
		Audio  int64 `json:"audio_tokens"`
	} `json:"prompt_tokens_details"`
	Out struct {
		Reasoning int64 `json:"reasoning_tokens"`
		Audio     int64 `json:"audio_tokens"`
	} `json:"completion_tokens_details"`
}

func requireUsage(t *testing.T, want *recordedUsage, got *llm.Usage) {
	if want == nil {
		require.True(t, got == nil || !got.Known)
		return
	}
	require.NotNil(t, got)
	require.True(t, got.Known)
	require.Equal(t, want.Prompt, got.InputTotal())
	require.Equal(t, want.Total, got.Total(), "xAI's total has the reasoning that its completion lacks")
	require.Equal(t, want.In.Cached, got.CacheRead)
	require.Equal(t, want.In.Audio, got.InputAudio)
	require.Equal(t, want.Out.Reasoning, got.Reasoning)
	require.Equal(t, want.Out.Audio, got.OutputAudio)
}

func TestRecordedAnswers(t *testing.T) {
	for _, r := range recordings(t) {
		if r.Status != 200 || r.Streamed() {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			body := []byte(r.Response)
			a, err := codec.Provider.Decode(nil, nil, body)
			if strings.Contains(r.Response, "ResponsibleAIPolicyViolation") {
				require.Equal(t, llm.ContentFilter, err.Class)
				return
			}
			require.Nil(t, err)
			var want recorded
			require.NoError(t, json.Unmarshal(body, &want))
			require.Len(t, a.Choices, len(want.Choices))
			requireUsage(t, want.Usage, &a.Usage)
			for i, c := range want.Choices {
				said := spoken(a.Choices[i].Parts)
				if c.Message.Content != nil {
					require.Equal(t, *c.Message.Content, said)
				} else {
					require.Empty(t, said)
				}
				var calls []llm.ToolCall
				for _, p := range a.Choices[i].Parts {
					if p.Kind == llm.ToolCallPart {
						calls = append(calls, p.Call)
					}
				}
				for k, call := range c.Message.ToolCalls {
					require.Equal(t, call.ID, string(calls[k].ID))
					require.Equal(t, call.Function.Name, string(calls[k].Name))
					require.Equal(t, call.Function.Arguments, dialecttest.Plain(calls[k].Arguments))
				}
			}

			var edits jsonx.Edits
			usage, finish, err := codec.Same.Answer(&edits, &llm.Facts{}, body, &dialect.Patch{})
			require.Nil(t, err)
			require.Equal(t, a.Usage, usage)
			require.Equal(t, a.Choices[0].Finish, finish)
			require.Equal(t, r.Response, string(edits.Apply(nil, body)))

			out := codec.Client.AppendAnswer(nil, &llm.Facts{}, "shown", a, nil)
			b, err := codec.Provider.Decode(nil, nil, out)
			require.Nil(t, err)
			a.Model = llm.Escaped("shown")
			nameCalls(a)
			require.Equal(t, dialecttest.DescribeAnswer(a), dialecttest.DescribeAnswer(b))
		})
	}
}

// nameCalls gives calls of the deprecated function_call, which have no id, the
// one that the encoder gives them.
func nameCalls(a *llm.Answer) {
	for i := range a.Choices {
		for k := range a.Choices[i].Parts {
			if p := &a.Choices[i].Parts[k]; p.Kind == llm.ToolCallPart && len(p.Call.ID) == 0 {
				p.Call.ID = llm.Escaped("call_0")
			}
		}
	}
}

func TestRecordedErrors(t *testing.T) {
	n := 0
	for _, r := range recordings(t) {
		if r.Status == 200 {
			continue
		}
		n++
		e := codec.Provider.Classify(r.Status, r.Header, []byte(r.Response))
		if r.Status == 404 {
			require.Equal(t, llm.ProviderError, e.Class, r.ID)
			require.Equal(t, 502, e.Status)
		} else {
			require.Equal(t, llm.ClientError, e.Class, r.ID)
			require.Equal(t, r.Status, e.Status)
			require.Contains(t, r.Response, e.Code)
		}
	}
	require.NotZero(t, n)
}

func chunksOf(t *testing.T, stream string) []recorded {
	var all []recorded
	for _, l := range strings.Split(strings.ReplaceAll(stream, "\r", ""), "\n") {
		data, ok := strings.CutPrefix(l, "data:")
		if data = strings.TrimSpace(data); ok && data != "[DONE]" {
			var c recorded
			require.NoError(t, json.Unmarshal([]byte(data), &c))
			all = append(all, c)
		}
	}
	return all
}

func TestRecordedStreams(t *testing.T) {
	for _, r := range recordings(t) {
		if r.Status != 200 || !r.Streamed() {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			stream := []byte(r.Response)
			f, _ := facts(t, []byte(r.Request))
			events := dialecttest.Decode(codec.Provider.NewDecoder(&f, nil, limits), stream)
			requireStream(t, chunksOf(t, r.Response), events)
			script := dialecttest.Script(events)

			cut := func(chunks ...[]byte) {
				got := dialecttest.Decode(codec.Provider.NewDecoder(&f, nil, limits), chunks...)
				require.Equal(t, script, dialecttest.Script(got))
			}
			dialecttest.Bytes(stream, cut)
			dialecttest.Partitions(stream, 1, 4, cut)

			for _, wants := range []bool{false, true} {
				f.WantsUsage = wants
				out := dialecttest.Encode(codec.Client.NewEncoder(&f, "shown"), events)
				require.NoError(t, grammar.Check(grammar.OpenAI(wants), out))
				again := dialecttest.Decode(codec.Provider.NewDecoder(&f, nil, limits), out)
				require.Equal(t, retold(events, wants), dialecttest.Script(again))
			}
			tapRecorded(t, &f, stream, events)
		})
	}
}

// retold is the script that a stream has once it was encoded: under the name to
// show, its answers ended before its usage, and that only for whom it is.
func retold(events []llm.Event, usage bool) string {
	var list []llm.Event
	for _, e := range events {
		if e.Kind == llm.Start {
			e.Name = llm.Escaped("shown")
		}
		if e.Kind == llm.UsageEvent {
			continue
		}
		if e.Kind == llm.End && usage {
			if u := dialecttest.Last(events); u != nil {
				list = append(list, llm.Event{Kind: llm.UsageEvent, Usage: u})
			}
		}
		list = append(list, e)
	}
	return dialecttest.Script(list)
}

func requireStream(t *testing.T, chunks []recorded, events []llm.Event) {
	texts, refusals := map[int]string{}, map[int]string{}
	var usage *recordedUsage
	finished := 0
	calls := 0
	for _, c := range chunks {
		for _, choice := range c.Choices {
			texts[choice.Index] += ""
			if choice.Delta.Content != nil {
				texts[choice.Index] += *choice.Delta.Content
			}
			if choice.Delta.Refusal != nil {
				refusals[choice.Index] += *choice.Delta.Refusal
			}
			for _, k := range choice.Delta.ToolCalls {
				if k.ID != "" {
					calls++
				}
			}
		}
		if c.Usage != nil {
			usage = c.Usage
		} else if c.XGroq.Usage != nil {
			usage = c.XGroq.Usage
		}
	}
	for index, text := range texts {
		require.Equal(t, text, dialecttest.Said(events, index, llm.TextPart))
		require.Equal(t, refusals[index], dialecttest.Said(events, index, llm.RefusalPart))
	}
	for _, e := range events {
		switch {
		case e.Kind == llm.FinishEvent:
			finished++
		case e.Kind == llm.BlockStart && e.Part == llm.ToolCallPart:
			calls--
		}
	}
	require.Equal(t, len(texts), finished)
	require.Zero(t, calls)
	require.Equal(t, llm.End, events[len(events)-1].Kind)
	requireUsage(t, usage, dialecttest.Last(events))
}

// tapRecorded checks that a tap passes a stream on as it came, whatever its
// pieces, and tells the same as a decoder of what comes after the commit.
func tapRecorded(t *testing.T, f *llm.Facts, stream []byte, events []llm.Event) {
	f.WantsUsage = true
	var want string
	check := func(chunks ...[]byte) {
		out, told := dialecttest.Tap(codec.Same.NewTap(f, limits, &dialect.Patch{Usage: true}), chunks...)
		require.Equal(t, string(stream), string(out))
		if want == "" {
			want = dialecttest.Script(told)
		}
		require.Equal(t, want, dialecttest.Script(told))
		require.Equal(t, dialecttest.Last(events), dialecttest.Last(told))
		require.Equal(t, llm.End, told[len(told)-1].Kind)
	}
	check(stream)
	dialecttest.Bytes(stream, check)
	dialecttest.Partitions(stream, 2, 4, check)
}
