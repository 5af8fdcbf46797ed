package gemini_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// recorded is what a plain reader makes of an answer.
type recorded struct {
	texts, thoughts   string
	calls             []string
	signatures        []string
	finish            any
	prompt, out       int64
	thinking, total   int64
	cached, toolTaken int64
}

type recordedAnswer struct {
	Candidates []struct {
		Content struct {
			Parts []struct {
				Text      string
				Thought   bool
				Signature string `json:"thoughtSignature"`
				Call      *struct {
					Name string
					Args json.RawMessage
				} `json:"functionCall"`
			}
		}
		Finish any `json:"finishReason"`
	}
	Usage struct {
		Prompt   int64 `json:"promptTokenCount"`
		Out      int64 `json:"candidatesTokenCount"`
		Thinking int64 `json:"thoughtsTokenCount"`
		Total    int64 `json:"totalTokenCount"`
		Cached   int64 `json:"cachedContentTokenCount"`
		Tools    int64 `json:"toolUsePromptTokenCount"`
	} `json:"usageMetadata"`
}

func (r *recorded) add(t *testing.T, body string) {
	var a recordedAnswer
	require.NoError(t, json.Unmarshal([]byte(body), &a))
	for _, c := range a.Candidates {
		for _, p := range c.Content.Parts {
			switch {
			case p.Call != nil:
				r.calls = append(r.calls, p.Call.Name+dialecttest.Compact(p.Call.Args))
			case p.Thought:
				r.thoughts += p.Text
			default:
				r.texts += p.Text
			}
			if p.Signature != "" {
				r.signatures = append(r.signatures, p.Signature)
			}
		}
		if c.Finish != nil {
			r.finish = c.Finish
		}
	}
	if u := a.Usage; u.Total > 0 {
		r.prompt, r.out, r.thinking, r.total, r.cached, r.toolTaken = u.Prompt, u.Out, u.Thinking, u.Total, u.Cached, u.Tools
	}
}

func (r *recorded) requireUsage(t *testing.T, u *llm.Usage) {
	require.Equal(t, r.total, u.Total())
	require.Equal(t, r.prompt+r.toolTaken, u.InputTotal())
	require.Equal(t, r.thinking, u.Reasoning)
	require.Equal(t, r.out, u.Output+u.OutputAudio)
	require.Equal(t, r.cached, u.CacheRead)
	require.True(t, u.Known)
}

var files = []string{"gemini-generateContent.jsonl", "gemini-streamGenerateContent.jsonl",
	"vertex-generateContent.jsonl", "vertex-streamGenerateContent.jsonl"}

func TestRecordedWhole(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, files...) {
		if r.Streamed() {
			continue
		}
		a, err := codec.Provider.Decode(nil, nil, []byte(r.Response))
		if r.Status != 200 {
			e := codec.Provider.Classify(r.Status, r.Header, []byte(r.Response))
			require.Equal(t, map[int]llm.Class{400: llm.ClientError, 404: llm.ProviderError}[r.Status].String(), e.Class.String())
			require.NotNil(t, err)
			continue
		}
		require.Nil(t, err, r.ID)
		var want recorded
		want.add(t, r.Response)
		want.requireUsage(t, &a.Usage)
		var got recorded
		for _, p := range a.Choices[0].Parts {
			switch p.Kind {
			case llm.TextPart:
				got.texts += dialecttest.Plain(p.Text)
			case llm.ReasoningPart:
				got.thoughts += dialecttest.Plain(p.Text)
			case llm.ToolCallPart:
				got.calls = append(got.calls, dialecttest.Plain(p.Call.Name)+dialecttest.Compact(p.Call.Input))
			}
			if len(p.Signature) > 0 {
				require.Equal(t, "gemini", p.Origin)
				got.signatures = append(got.signatures, dialecttest.Plain(p.Signature))
			}
		}
		require.Equal(t, [4]any{want.texts, want.thoughts, want.calls, want.signatures},
			[4]any{got.texts, got.thoughts, got.calls, got.signatures}, r.ID)
		finish := llm.FinishStop
		if len(want.calls) > 0 {
			finish = llm.FinishTool
		}
		if want.finish == "MAX_TOKENS" || want.finish == 2.0 {
			finish = llm.FinishLength
		}
		require.Equal(t, finish, a.Choices[0].Finish, "%s %v", r.ID, want.finish)
		again(t, a)
	}
}

// again checks that an answer says the same once it was written for a client and read.
func again(t *testing.T, a *llm.Answer) {
	out := codec.Client.AppendAnswer(nil, &llm.Facts{}, dialecttest.Plain(a.Model), a, nil)
	b, err := codec.Provider.Decode(nil, nil, out)
	require.Nil(t, err)
	a.Created = 0
	require.Equal(t, dialecttest.DescribeAnswer(a), dialecttest.DescribeAnswer(b))
}

func TestRecordedStreams(t *testing.T) {
	f := llm.Facts{Stream: true, Choices: 1}
	for _, r := range dialecttest.Recordings(t, files...) {
		if !r.Streamed() {
			continue
		}
		var want recorded
		for _, l := range strings.Split(strings.ReplaceAll(r.Response, "\r\n", "\n"), "\n") {
			if data, ok := strings.CutPrefix(l, "data: "); ok {
				want.add(t, data)
			}
		}
		events := dialecttest.Decode(codec.Provider.NewDecoder(&f, nil, limits), []byte(r.Response))
		require.NoError(t, dialecttest.CheckEvents(events), r.ID)
		require.Equal(t, llm.End, events[len(events)-1].Kind)
		want.requireUsage(t, dialecttest.Last(events))
		require.Equal(t, want.texts, dialecttest.Said(events, 0, llm.TextPart))
		require.Equal(t, want.thoughts, dialecttest.Said(events, 0, llm.ReasoningPart))
		require.Equal(t, want.calls, callsOf(events), r.ID)
		out := dialecttest.Encode(codec.Client.NewEncoder(&f, "m"), events)
		require.NoError(t, grammar.Check(grammar.Gemini(), out), r.ID)
		script := dialecttest.Script(events)
		check := func(chunks ...[]byte) {
			require.Equal(t, script, dialecttest.Script(dialecttest.Decode(codec.Provider.NewDecoder(&f, nil, limits), chunks...)))
			passed, told := dialecttest.Tap(codec.Same.NewTap(&f, limits, &dialect.Patch{}), chunks...)
			require.Equal(t, r.Response, string(passed))
			want.requireUsage(t, dialecttest.Last(told))
		}
		dialecttest.Delimiters([]byte(r.Response), check)
		dialecttest.Partitions([]byte(r.Response), 7, 8, check)
	}
}

func callsOf(events []llm.Event) (calls []string) {
	for i := range events {
		if e := &events[i]; e.Kind == llm.BlockStart && e.Part == llm.ToolCallPart {
			calls = append(calls, dialecttest.Plain(e.Name)+dialecttest.Compact([]byte(dialecttest.Plain(events[i+1].Text))))
		}
	}
	return calls
}

// Recorded requests are read, and say the same once they were written and read.
func TestRecordedRequests(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, files...) {
		if r.Status != 200 {
			continue
		}
		first := decode(t, []byte(r.Request), nil)
		for _, target := range []dialect.Target{{Model: "gemini-2.5-flash"}, {Model: "gemini-2.0-flash", Flavour: "vertex"}} {
			target.MaxTokens = first.MaxTokens
			ids := target.Flavour == ""
			out, err := codec.Provider.Encode(nil, first, &target, nil)
			require.Nil(t, err, r.ID)
			second := decode(t, out, nil)
			for _, q := range []*llm.Request{first, second} {
				normalise(q, ids)
			}
			require.Equal(t, dialecttest.Describe(first), dialecttest.Describe(second), r.ID)
		}
	}
}

// normalise drops what not every target keeps.
func normalise(q *llm.Request, ids bool) {
	for i := range q.Messages {
		for p := range q.Messages[i].Parts {
			part := &q.Messages[i].Parts[p]
			if !ids {
				part.Call.ID, part.Result.ID = nil, nil
			}
		}
	}
	if q.Reasoning != nil {
		q.Reasoning = nil
	}
	for i := range q.Tools {
		q.Tools[i].Schema = nil
	}
	q.Format = nil
}

func decode(t *testing.T, body []byte, call *dialect.Call) *llm.Request {
	if call == nil {
		call = &dialect.Call{Operation: llm.Chat, Model: "m"}
	}
	doc, bad := jsonx.Scan(body, codec.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad, string(body))
	f, err := codec.Client.Facts(*call, &doc)
	require.Nil(t, err)
	q, err := codec.Client.Decode(f, &doc)
	require.Nil(t, err)
	return q
}
