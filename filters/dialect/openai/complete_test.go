package openai_test

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

var completions = openai.Complete()

func complete(t testing.TB, body string) (*llm.Request, llm.Facts, *jsonx.Document, *llm.Error) {
	doc, bad := jsonx.Scan([]byte(body), completions.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, err := completions.Client.Facts(dialect.Call{Operation: llm.Complete}, &doc)
	if err != nil {
		return nil, f, &doc, err
	}
	r, err := completions.Client.Decode(f, &doc)
	return r, f, &doc, err
}

// A completion is one turn of a chat, or the same completion again.
func TestCompletion(t *testing.T) {
	r, f, _, err := complete(t, `{"model":"m","prompt":["Say \"hi\""],"max_tokens":5,"stop":"x","temperature":0,"n":2,"stream":true,"user":"u","logprobs":3,"logit_bias":{"5":1}}`)
	require.Nil(t, err)
	require.Equal(t, 2, f.Choices)
	var l dialect.Ledger
	out, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "t"}, &l)
	require.Nil(t, err)
	require.JSONEq(t, `{"model":"t","messages":[{"role":"user","content":"Say \"hi\""}],"max_completion_tokens":5,"n":2,"stream":true,
		"stream_options":{"include_usage":true},"temperature":0,"stop":["x"],"user":"u","logprobs":true,"top_logprobs":3,"logit_bias":{"5":1}}`, string(out))
	out, err = completions.Provider.Encode(nil, r, &dialect.Target{Model: "t"}, &l)
	require.Nil(t, err)
	require.JSONEq(t, `{"model":"t","prompt":"Say \"hi\"","max_tokens":5,"n":2,"stream":true,
		"stream_options":{"include_usage":true},"temperature":0,"stop":["x"],"user":"u","logprobs":3,"logit_bias":{"5":1}}`, string(out))
	require.Empty(t, l.Entries)
	require.Equal(t, "/v1/completions", completions.Provider.Path(&f, &dialect.Target{}))
}

func TestCompletionRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`{"model":"m"}`:                            "missing_required_parameter prompt",
		`{"model":"m","prompt":7}`:                 "invalid_type prompt",
		`{"model":"m","prompt":["a","b"]}`:         "unsupported_parameter prompt",
		`{"model":"m","prompt":[1,2]}`:             "unsupported_parameter prompt",
		`{"model":"m","prompt":[]}`:                "unsupported_parameter prompt",
		`{"model":"m","prompt":"x","suffix":"y"}`:  "unsupported_parameter suffix",
		`{"model":"m","prompt":"x","best_of":2}`:   "unsupported_parameter best_of",
		`{"model":"m","prompt":"x","echo":true}`:   "unsupported_parameter echo",
		`{"model":"m","prompt":"x","n":0}`:         "invalid_value n",
		`{"model":"m","prompt":"x","stop":[true]}`: "invalid_type stop",
	} {
		_, _, _, err := complete(t, body)
		require.NotNil(t, err, body)
		require.Equal(t, want, err.Code+" "+err.Param, body)
	}
}

// Where a target has no completions a chat serves them.
func TestCompletionIsServed(t *testing.T) {
	d := openai.New()
	for flavour, want := range map[string]string{"": "completions true", "groq": "chat false", "vllm": "completions true"} {
		own := d.APIs[2]
		require.Equal(t, "completions", own.Name)
		api, same := d.Serves(own, &llm.Facts{Operation: llm.Complete}, &dialect.Target{Flavour: flavour})
		require.Equal(t, want, api.Name+map[bool]string{true: " true", false: " false"}[same])
	}
}

// Recorded completions are read whole and streamed, kept by the tap, and told
// again in the grammar.
func TestRecordedCompletions(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, "openai-completions.jsonl") {
		if r.Status != 200 {
			require.NotZero(t, completions.Provider.Classify(r.Status, r.Header, []byte(r.Response)).Class)
			continue
		}
		_, f, doc, _ := complete(t, r.Request)
		var e jsonx.Edits
		completions.Same.Request(&e, &f, doc, &dialect.Patch{Target: &dialect.Target{Model: f.Model}})
		require.True(t, e.Empty())
		if !r.Streamed() {
			checkCompletion(t, r.Response)
			continue
		}
		events := dialecttest.Decode(completions.Provider.NewDecoder(&f, nil, limits), []byte(r.Response))
		require.NoError(t, dialecttest.CheckEvents(events))
		require.Equal(t, llm.End, events[len(events)-1].Kind)
		out, told := dialecttest.Tap(completions.Same.NewTap(&f, limits, &dialect.Patch{}), []byte(r.Response))
		require.Equal(t, r.Response, string(out))
		require.Equal(t, dialecttest.Last(events), dialecttest.Last(told))
		f.WantsUsage = true
		again := dialecttest.Decode(completions.Provider.NewDecoder(&f, nil, limits), dialecttest.Encode(completions.Client.NewEncoder(&f, "m"), events))
		require.NoError(t, dialecttest.CheckEvents(again))
		require.Equal(t, dialecttest.Said(events, 0, llm.TextPart), dialecttest.Said(again, 0, llm.TextPart))
		require.Equal(t, dialecttest.Last(events), dialecttest.Last(again))
	}
}

func checkCompletion(t *testing.T, body string) {
	a, err := completions.Provider.Decode(&llm.Facts{}, nil, []byte(body))
	require.Nil(t, err)
	var want, got struct {
		Choices []struct{ Text string }
		Usage   struct {
			Total int64 `json:"total_tokens"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &want))
	require.NoError(t, json.Unmarshal(completions.Client.AppendAnswer(nil, &llm.Facts{}, "m", a, nil), &got))
	require.Equal(t, want, got)
}

// A stream of a completion keeps its form whatever it is handed.
func TestCompletionStream(t *testing.T) {
	f := llm.Facts{WantsUsage: true}
	e := completions.Client.NewEncoder(&f, "m")
	var out []byte
	for _, ev := range []llm.Event{{Kind: llm.Ping}, {Kind: llm.Start, ID: llm.Escaped("i")}, {Kind: llm.BlockStart}, {Kind: llm.Delta, Text: llm.Escaped("a")},
		{Kind: llm.Delta, Choice: 1, Text: llm.Escaped("b")}, {Kind: llm.Delta, Choice: 1000, Text: llm.Escaped("c")},
		{Kind: llm.Delta, Part: llm.ToolCallPart, Text: llm.Escaped("d")}, {Kind: llm.FinishEvent, Finish: llm.FinishTool},
		{Kind: llm.Delta, Text: llm.Escaped("late")}, {Kind: llm.UsageEvent, Usage: &llm.Usage{Input: 1, Known: true}}, {Kind: llm.End}, {Kind: llm.End}} {
		out = e.Append(out, &ev)
	}
	events := strings.Split(strings.TrimSpace(string(out)), "\n\n")
	require.Len(t, events, 6)
	require.Contains(t, events[2], `"finish_reason":"stop"`)
	require.Contains(t, events[3], `"index":1`)
	require.Contains(t, events[4], `"prompt_tokens":1`)
	require.Equal(t, "data: [DONE]", events[5])
	require.NotContains(t, string(out), "late")
	require.NotContains(t, string(out), `"d"`)
}
