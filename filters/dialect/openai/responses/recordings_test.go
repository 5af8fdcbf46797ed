package responses_test

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

// recorded is a response as the standard library reads it.
type recorded struct {
	Output []struct {
		Type, Name, Arguments string
		CallID                string `json:"call_id"`
		Content, Summary      []struct{ Type, Text string }
	}
	Usage struct {
		Input   int64 `json:"input_tokens"`
		Output  int64 `json:"output_tokens"`
		Total   int64 `json:"total_tokens"`
		Details struct {
			Cached int64 `json:"cached_tokens"`
		} `json:"input_tokens_details"`
		Out struct {
			Reasoning int64 `json:"reasoning_tokens"`
		} `json:"output_tokens_details"`
	}
}

func (r *recorded) said(kind string) string {
	var all string
	for _, x := range r.Output {
		switch {
		case x.Type == kind && kind == "message":
			for _, c := range x.Content {
				all += c.Text
			}
		case x.Type == kind && kind == "function_call":
			all += x.Arguments
		}
	}
	return all
}

func (r *recorded) check(t *testing.T, u *llm.Usage) {
	require.Equal(t, r.Usage.Input, u.InputTotal())
	require.Equal(t, r.Usage.Output, u.OutputTotal())
	require.Equal(t, r.Usage.Details.Cached, u.CacheRead)
	require.Equal(t, r.Usage.Out.Reasoning, u.Reasoning)
}

func recordings(t *testing.T) []dialecttest.Recording {
	return dialecttest.Recordings(t, "openai-responses.jsonl", "azure-responses.jsonl")
}

// Every recorded request is read, and what is decoded of it is encoded to the same
// again.
func TestRecordedRequests(t *testing.T) {
	for _, r := range recordings(t) {
		doc, bad := jsonx.Scan([]byte(r.Request), codec.Client.Inspected(), jsonx.Limits{})
		require.Nil(t, bad)
		f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
		require.Nil(t, err, r.ID)
		a, err := codec.Client.Decode(f, &doc)
		if err != nil {
			require.NotEmpty(t, err.Param)
			require.Contains(t, r.Request, strings.TrimSuffix(strings.Split(err.Param, "[")[0], "."))
			continue
		}
		out, err := codec.Provider.Encode(nil, a, &dialect.Target{Model: f.Model}, nil)
		require.Nil(t, err, r.ID)
		require.True(t, json.Valid(out), string(out))
		again, bad := jsonx.Scan(out, codec.Client.Inspected(), jsonx.Limits{})
		require.Nil(t, bad)
		b, err := codec.Client.Decode(f, &again)
		require.Nil(t, err)
		stripServerTools(a)
		stripServerTools(b)
		require.Equal(t, dialecttest.Describe(a), dialecttest.Describe(b), r.ID)
	}
}

// stripServerTools forgets options of tools that the provider runs: they are not
// carried. Reasoning without a seal is not sent back.
func stripServerTools(r *llm.Request) {
	for i := range r.Tools {
		r.Tools[i].Other = nil
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		var kept []llm.Part
		for _, p := range m.Parts {
			if p.Kind != llm.ReasoningPart || len(p.Signature) > 0 {
				kept = append(kept, p)
			}
		}
		m.Parts = kept
	}
}

// Every recorded answer is read as the standard library reads it, passed on
// unchanged, and written again in the API's grammar.
func TestRecordedAnswers(t *testing.T) {
	f := llm.Facts{Stream: true, Choices: 1}
	for _, r := range recordings(t) {
		if r.Status != 200 {
			e := codec.Provider.Classify(r.Status, r.Header, []byte(r.Response))
			require.NotZero(t, e.Class)
			continue
		}
		if r.Streamed() {
			checkStream(t, &f, []byte(r.Response))
			continue
		}
		var want recorded
		require.NoError(t, json.Unmarshal([]byte(r.Response), &want))
		a, err := codec.Provider.Decode(&f, nil, []byte(r.Response))
		require.Nil(t, err)
		want.check(t, &a.Usage)
		out := codec.Client.AppendAnswer(nil, &f, "shown", a, nil)
		var got recorded
		require.NoError(t, json.Unmarshal(out, &got), string(out))
		for _, kind := range []string{"message", "function_call"} {
			require.Equal(t, want.said(kind), got.said(kind))
		}
		b, err := codec.Provider.Decode(&f, nil, out)
		require.Nil(t, err)
		require.Equal(t, dialecttest.UsageText(&a.Usage), dialecttest.UsageText(&b.Usage))
		var edits jsonx.Edits
		usage, finish, err := codec.Same.Answer(&edits, &f, []byte(r.Response), &dialect.Patch{})
		require.Nil(t, err)
		require.True(t, edits.Empty())
		require.Equal(t, a.Usage, usage)
		require.Equal(t, a.Choices[0].Finish, finish)
	}
}

func checkStream(t *testing.T, f *llm.Facts, stream []byte) {
	whole := stream[strings.LastIndex(string(stream), "data: ")+6:]
	var last struct{ Response recorded }
	require.NoError(t, json.Unmarshal(whole, &last), string(whole))
	var script string
	check := func(chunks ...[]byte) {
		events := dialecttest.Decode(codec.Provider.NewDecoder(f, nil, limits), chunks...)
		if script == "" {
			script = dialecttest.Script(events)
		}
		require.True(t, script == dialecttest.Script(events))
		require.NoError(t, dialecttest.CheckEvents(events))
		require.Equal(t, llm.End, events[len(events)-1].Kind)
		last.Response.check(t, dialecttest.Last(events))
		require.Equal(t, last.Response.said("message"), dialecttest.Said(events, 0, llm.TextPart))
		require.Equal(t, last.Response.said("function_call"), dialecttest.Said(events, 0, llm.ToolCallPart))
		written := dialecttest.Encode(codec.Client.NewEncoder(f, "m"), events)
		require.NoError(t, grammar.Check(grammar.Responses(), written))
		out, told := dialecttest.Tap(codec.Same.NewTap(f, limits, &dialect.Patch{}), chunks...)
		require.True(t, string(stream) == string(out))
		require.Equal(t, dialecttest.Last(events), dialecttest.Last(told))
	}
	check(stream)
	dialecttest.Bytes(stream, check)
	dialecttest.Partitions(stream, 7, 4, check)
}

// What the tap shows of the model is the asked name, everywhere that it stands.
func TestTapRenames(t *testing.T) {
	f := llm.Facts{Stream: true, Choices: 1}
	for name, stream := range dialecttest.Archive(t, "testdata/streams.txtar") {
		out, _ := dialecttest.Tap(codec.Same.NewTap(&f, limits, &dialect.Patch{Model: "fast"}), stream)
		require.NotContains(t, string(out), `"gpt-5-mini"`, name)
		if name == "text" {
			require.Equal(t, 3, strings.Count(string(out), `"model":"fast"`))
		}
	}
}
