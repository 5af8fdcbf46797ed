package bedrock

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// body is a recorded answer's bytes.
func body(t testing.TB, r *dialecttest.Recording) []byte {
	if r.Encoding != "base64" {
		return []byte(r.Response)
	}
	b, err := base64.StdEncoding.DecodeString(r.Response)
	require.NoError(t, err)
	return b
}

type recordedUsage struct {
	Input  int64 `json:"inputTokens"`
	Output int64 `json:"outputTokens"`
	Read   int64 `json:"cacheReadInputTokens"`
	Write  int64 `json:"cacheWriteInputTokens"`
}

func requireUsage(t *testing.T, want *recordedUsage, got *llm.Usage) {
	require.NotNil(t, got)
	require.Equal(t, *want, recordedUsage{got.Input, got.Output, got.CacheRead, got.CacheWrite})
	require.True(t, got.Known)
}

type recordedBlock struct {
	Text    string
	ToolUse *struct {
		ID    string `json:"toolUseId"`
		Name  string
		Input json.RawMessage
	}
	ReasoningContent *struct {
		ReasoningText *struct{ Text, Signature string }
	}
}

func header(r *dialecttest.Recording) dialect.Header {
	return func(name string) string { return r.Headers[name] }
}

func TestRecordedAnswers(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, "bedrock-converse.jsonl") {
		t.Run(r.ID, func(t *testing.T) {
			if r.Status != 200 {
				requireClient(t, &r)
				return
			}
			a, err := Converse().Provider.Decode(nil, nil, body(t, &r))
			require.Nil(t, err)
			var want struct {
				Output struct {
					Message struct{ Content []recordedBlock }
				}
				Usage recordedUsage
			}
			require.NoError(t, json.Unmarshal([]byte(r.Response), &want))
			requireUsage(t, &want.Usage, &a.Usage)
			parts := a.Choices[0].Parts
			require.Len(t, parts, len(want.Output.Message.Content))
			for i, b := range want.Output.Message.Content {
				switch {
				case b.ToolUse != nil:
					require.Equal(t, b.ToolUse.ID+b.ToolUse.Name+string(b.ToolUse.Input),
						string(parts[i].Call.ID)+string(parts[i].Call.Name)+string(parts[i].Call.Input))
				case b.ReasoningContent != nil:
					require.Equal(t, b.ReasoningContent.ReasoningText.Text, dialecttest.Plain(parts[i].Text))
				default:
					require.Equal(t, b.Text, dialecttest.Plain(parts[i].Text))
				}
			}
			require.NotEqual(t, llm.NotFinished, a.Choices[0].Finish)
		})
	}
}

// requireClient checks a recorded error: all of them are the model's name, or the
// request.
func requireClient(t *testing.T, r *dialecttest.Recording) {
	e := Converse().Provider.Classify(r.Status, header(r), body(t, r))
	require.Contains(t, []string{"provider_not_found", "invalid_request"}, e.Code, r.Response)
}

func TestRecordedStreams(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, "bedrock-converse-stream.jsonl") {
		t.Run(r.ID, func(t *testing.T) {
			if r.Status != 200 {
				requireClient(t, &r)
				return
			}
			stream := body(t, &r)
			frames, err := grammar.EventStream(stream)
			require.NoError(t, err)
			events := dialecttest.Decode(newDecoder(nil, limits), stream)
			require.NoError(t, dialecttest.CheckEvents(events))
			requireStream(t, frames, events)

			script := dialecttest.Script(events)
			check := func(chunks ...[]byte) {
				require.Equal(t, script, dialecttest.Script(dialecttest.Decode(newDecoder(nil, limits), chunks...)))
				out, told := dialecttest.Tap((&same{}).NewTap(nil, limits, &dialect.Patch{}), chunks...)
				require.True(t, string(stream) == string(out))
				require.Equal(t, dialecttest.Last(events), dialecttest.Last(told))
			}
			dialecttest.Bytes(stream, check)
			dialecttest.Partitions(stream, 1, 8, check)

			again := dialecttest.Encode((&client{}).NewEncoder(nil, "m"), events)
			require.NoError(t, grammar.CheckFrames(grammar.Converse(), again, grammar.EventStream))
		})
	}
}

func requireStream(t *testing.T, frames []grammar.Frame, events []llm.Event) {
	var text, input strings.Builder
	var usage recordedUsage
	for _, f := range frames {
		var e struct {
			Delta struct {
				Text    string
				ToolUse struct{ Input string }
			}
			Usage *recordedUsage
		}
		require.NoError(t, json.Unmarshal([]byte(f.Data), &e))
		text.WriteString(e.Delta.Text)
		input.WriteString(e.Delta.ToolUse.Input)
		if e.Usage != nil {
			usage = *e.Usage
		}
	}
	require.Equal(t, text.String(), dialecttest.Said(events, 0, llm.TextPart))
	require.Equal(t, input.String(), dialecttest.Said(events, 0, llm.ToolCallPart))
	requireUsage(t, &usage, dialecttest.Last(events))
	require.Equal(t, llm.End, events[len(events)-1].Kind)
}

// TestRecordedRequests reads every recorded request, and writes it again: what
// comes out means the same.
func TestRecordedRequests(t *testing.T) {
	c := Converse()
	for _, r := range dialecttest.Recordings(t, "bedrock-converse.jsonl", "bedrock-converse-stream.jsonl") {
		at, err := url.Parse(r.URL)
		require.NoError(t, err)
		call, ok := c.Client.Recognise(&dialect.Line{Method: r.Method, Path: at.EscapedPath()})
		require.True(t, ok)
		require.NotContains(t, call.Model, "%")
		require.True(t, strings.HasSuffix(r.URL, c.Provider.Path(&llm.Facts{Stream: call.Stream}, &dialect.Target{Model: call.Model})), r.URL)
		read := func(body []byte) *llm.Request {
			doc, bad := jsonx.Scan(body, c.Client.Inspected(), jsonx.Limits{})
			require.Nil(t, bad)
			f, e := c.Client.Facts(call, &doc)
			require.Nil(t, e)
			q, e := c.Client.Decode(f, &doc)
			require.Nil(t, e)
			return q
		}
		q := read([]byte(r.Request))
		var l dialect.Ledger
		out, e := c.Provider.Encode(nil, q, &dialect.Target{Model: call.Model}, &l)
		require.Nil(t, e, r.ID)
		normal(q)
		want := dialecttest.Describe(q)
		if len(l.Entries) == 0 {
			require.Equal(t, want, dialecttest.Describe(read(out)), r.ID)
		}
	}
}
