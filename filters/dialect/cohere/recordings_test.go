package cohere_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/cohere"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// reported is an answer as encoding/json reads it, whatever the version.
type reported struct {
	ID      string          `json:"id"`
	Text    string          `json:"text"`
	Message json.RawMessage `json:"message"`
	Usage   tokens          `json:"usage"`
	Meta    tokens          `json:"meta"`
	Results []struct {
		Index int         `json:"index"`
		Score json.Number `json:"relevance_score"`
	} `json:"results"`
	Generations []struct{ Text string }
	Embeddings  json.RawMessage `json:"embeddings"`
}

type tokens struct {
	Tokens *struct {
		Input  float64 `json:"input_tokens"`
		Output float64 `json:"output_tokens"`
	} `json:"tokens"`
	Billed struct {
		Input  float64 `json:"input_tokens"`
		Output float64 `json:"output_tokens"`
	} `json:"billed_units"`
	Cached int64 `json:"cached_tokens"`
}

func (u tokens) equal(t *testing.T, got *llm.Usage) {
	want := u.Billed
	if u.Tokens != nil {
		want = *u.Tokens
	}
	require.Equal(t, int64(want.Input), got.InputTotal())
	require.Equal(t, int64(want.Output), got.OutputTotal())
	require.Equal(t, u.Cached, got.CacheRead)
}

func apiOf(t *testing.T, r *dialecttest.Recording) *dialect.API {
	path := r.URL[strings.Index(r.URL, ".com")+4:]
	for _, a := range cohere.New().APIs {
		if _, ok := a.Client.Recognise(&dialect.Line{Method: r.Method, Path: path, Header: func(string) string { return "" }}); ok {
			return a
		}
	}
	t.Fatal(r.URL)
	return nil
}

// Every recorded request is read, passed on with the target's model, and, of
// version 2, decoded and encoded again.
func TestRecordedRequests(t *testing.T) {
	target := dialect.Target{Model: "target"}
	for _, r := range recorded(t) {
		api := apiOf(t, &r)
		doc, bad := jsonx.Scan([]byte(r.Request), api.Client.Inspected(), jsonx.Limits{})
		require.Nil(t, bad)
		f, err := api.Client.Facts(dialect.Call{Operation: api.Operation}, &doc)
		require.Nil(t, err)
		var edits jsonx.Edits
		api.Same.Request(&edits, &f, &doc, &dialect.Patch{Target: &target})
		var was, is map[string]any
		require.NoError(t, json.Unmarshal([]byte(r.Request), &was))
		require.NoError(t, json.Unmarshal(edits.Apply(nil, doc.Body()), &is))
		require.Equal(t, f.Model, was["model"])
		was["model"] = "target"
		require.Equal(t, was, is)
		req, err := api.Client.Decode(f, &doc)
		if api.Name == "v1.chat" || api.Name == "v1.generate" {
			require.Equal(t, "unsupported_parameter", err.Code)
			continue
		}
		require.Nil(t, err)
		out, err := api.Provider.Encode(nil, req, &target, nil)
		require.Nil(t, err)
		require.True(t, json.Valid(out))
	}
}

func recorded(t *testing.T) []dialecttest.Recording {
	return dialecttest.Recordings(t, "cohere-chat.jsonl", "cohere-generate.jsonl", "cohere-embed.jsonl", "cohere-rerank.jsonl")
}

// Every recorded answer is read with the provider's own usage, text and calls.
func TestRecordedAnswers(t *testing.T) {
	for _, r := range recorded(t) {
		api := apiOf(t, &r)
		if r.Status != 200 {
			e := api.Provider.Classify(r.Status, r.Header, []byte(r.Response))
			require.Equal(t, "provider_not_found", e.Code)
			continue
		}
		kind, _, _ := strings.Cut(r.Headers["content-type"], ";")
		if api.Provider.Streams(kind) {
			streamed(t, api, []byte(r.Response))
			continue
		}
		var want reported
		require.NoError(t, json.Unmarshal([]byte(r.Response), &want))
		f := llm.Facts{Operation: api.Operation, Choices: 1}
		a, err := api.Provider.Decode(&f, nil, []byte(r.Response))
		require.Nil(t, err)
		usage := want.Usage
		if want.Usage == (tokens{}) {
			usage = want.Meta
		}
		usage.equal(t, &a.Usage)
		want.equal(t, a)
		same, _, err := api.Same.Answer(&jsonx.Edits{}, &f, []byte(r.Response), &dialect.Patch{})
		require.Nil(t, err)
		require.Equal(t, a.Usage, same)
		if api.Name[:2] != "v1" {
			again, err := api.Provider.Decode(&f, nil, api.Client.AppendAnswer(nil, &f, "", a, nil))
			require.Nil(t, err)
			require.Equal(t, dialecttest.DescribeAnswer(a), dialecttest.DescribeAnswer(again))
		}
	}
}

func (want *reported) equal(t *testing.T, a *llm.Answer) {
	text := want.Text
	for _, g := range want.Generations {
		text += g.Text
	}
	var m struct {
		Plan    string `json:"tool_plan"`
		Content []struct{ Text string }
		Calls   []struct {
			ID       string
			Function struct{ Name, Arguments string }
		} `json:"tool_calls"`
		Citations []json.RawMessage
	}
	if want.Message != nil {
		require.NoError(t, json.Unmarshal(want.Message, &m))
	}
	for _, c := range m.Content {
		text += c.Text
	}
	said, plan, cites := "", "", 0
	for _, c := range a.Choices {
		for _, p := range c.Parts {
			switch p.Kind {
			case llm.TextPart:
				said += dialecttest.Plain(p.Text)
				cites += len(p.Citations)
			case llm.ReasoningPart:
				plan += dialecttest.Plain(p.Text)
			case llm.ToolCallPart:
				require.Equal(t, m.Calls[0].ID, dialecttest.Plain(p.Call.ID))
				require.Equal(t, m.Calls[0].Function.Name, dialecttest.Plain(p.Call.Name))
				require.Equal(t, m.Calls[0].Function.Arguments, dialecttest.Plain(p.Call.Arguments))
				m.Calls = m.Calls[1:]
			}
		}
	}
	require.Equal(t, text, said)
	require.Equal(t, m.Plan, plan)
	require.Empty(t, m.Calls)
	require.GreaterOrEqual(t, cites, len(m.Citations))
	require.Len(t, a.Ranks, len(want.Results))
	for i, k := range want.Results {
		require.Equal(t, k.Index, a.Ranks[i].Index)
		require.Equal(t, string(k.Score), string(a.Ranks[i].Score))
	}
}

// streamed checks one stream: as it is read by encoding/json, at cuts, passed on,
// and written again.
func streamed(t *testing.T, api *dialect.API, stream []byte) {
	f := llm.Facts{Operation: api.Operation, Stream: true, Choices: 1}
	events := dialecttest.Decode(api.Provider.NewDecoder(&f, nil, limits), stream)
	require.NoError(t, dialecttest.CheckEvents(events))
	require.Equal(t, llm.End, events[len(events)-1].Kind)
	text, plan, arguments, usage := naive(t, stream)
	require.Equal(t, text, dialecttest.Said(events, 0, llm.TextPart))
	require.Equal(t, plan, dialecttest.Said(events, 0, llm.ReasoningPart))
	require.Equal(t, arguments, dialecttest.Said(events, 0, llm.ToolCallPart))
	usage.equal(t, dialecttest.Last(events))
	check := func(chunks ...[]byte) {
		out, told := dialecttest.Tap(api.Same.NewTap(&f, limits, &dialect.Patch{Model: "m"}), chunks...)
		require.Equal(t, string(stream), string(out))
		require.Equal(t, dialecttest.Last(events), dialecttest.Last(told))
		cut := dialecttest.Decode(api.Provider.NewDecoder(&f, nil, limits), chunks...)
		require.Equal(t, dialecttest.Script(events), dialecttest.Script(cut))
	}
	dialecttest.Bytes(stream, check)
	dialecttest.Delimiters(stream, check)
	dialecttest.Partitions(stream, 1, 8, check)
	if api.Name == "chat" {
		require.NoError(t, grammar.Check(grammar.Cohere(), stream))
		out := dialecttest.Encode(api.Client.NewEncoder(&f, "m"), events)
		require.NoError(t, grammar.Check(grammar.Cohere(), out))
		again := dialecttest.Decode(api.Provider.NewDecoder(&f, nil, limits), out)
		require.Equal(t, dialecttest.Script(events), dialecttest.Script(again))
	}
}

// naive reads a stream line by line.
func naive(t *testing.T, stream []byte) (text, plan, arguments string, usage tokens) {
	for _, line := range strings.Split(string(stream), "\n") {
		line = strings.TrimPrefix(line, "data: ")
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var e struct {
			Type     string `json:"event_type"`
			Text     string
			Response struct{ Meta tokens }
			Delta    struct {
				Message struct {
					Content   json.RawMessage
					ToolPlan  string          `json:"tool_plan"`
					ToolCalls json.RawMessage `json:"tool_calls"`
				}
				Usage *tokens
			}
		}
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		var c struct{ Text string }
		var call struct{ Function struct{ Arguments string } }
		_ = json.Unmarshal(e.Delta.Message.Content, &c)
		_ = json.Unmarshal(e.Delta.Message.ToolCalls, &call)
		text, plan, arguments = text+c.Text, plan+e.Delta.Message.ToolPlan, arguments+call.Function.Arguments
		switch {
		case e.Type == "text-generation":
			text += e.Text
		case e.Type == "stream-end":
			usage = e.Response.Meta
		case e.Delta.Usage != nil:
			usage = *e.Delta.Usage
		}
	}
	return text, plan, arguments, usage
}
