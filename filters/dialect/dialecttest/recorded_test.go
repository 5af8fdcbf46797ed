package dialecttest_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
)

// Every recorded request to OpenAI becomes a request to Anthropic, or is refused
// with the name of the part.
func TestRecordedRequestsTranslate(t *testing.T) {
	refused := map[string]int{}
	for _, r := range dialecttest.Recordings(t, "openai-chat-completions.jsonl", "openai-compatible.jsonl", "azure-chat.jsonl") {
		s := scene{client: openai.Chat().Client, provider: anthropic.Messages().Provider}
		out, err := s.request(t, []byte(r.Request), "")
		if err != nil {
			require.Equal(t, 400, err.Status)
			require.NotEmpty(t, err.Param)
			refused[err.Param]++
			continue
		}
		require.True(t, json.Valid(out), r.ID)
	}
	t.Log("refused:", refused)
}

// Every recorded answer of Anthropic becomes an answer to an OpenAI client: the
// same text, calls and usage, in the client's grammar, however the stream is cut.
func TestRecordedAnswersTranslate(t *testing.T) {
	client, provider, back := openai.Chat().Client, anthropic.Messages().Provider, openai.Chat().Provider
	lim := dialect.Limits{Event: 1 << 20}
	f := llm.Facts{Stream: true, Choices: 1, WantsUsage: true, Received: 1}
	for _, r := range dialecttest.Recordings(t, "anthropic-messages.jsonl", "vertex-rawPredict.jsonl", "vertex-streamRawPredict.jsonl") {
		if !r.Streamed() {
			a, err := provider.Decode(&f, nil, []byte(r.Response))
			require.Nil(t, err)
			b, err := back.Decode(&f, nil, client.AppendAnswer(nil, &f, "shown", a, nil))
			require.Nil(t, err)
			require.Equal(t, dialecttest.UsageText(&a.Usage), dialecttest.UsageText(&b.Usage))
			continue
		}
		var want string
		translate := func(chunks ...[]byte) {
			events := dialecttest.Decode(provider.NewDecoder(&f, nil, lim), chunks...)
			require.NoError(t, dialecttest.CheckEvents(events))
			out := dialecttest.Encode(client.NewEncoder(&f, "shown"), events)
			if want != "" {
				require.True(t, want == string(out), r.ID)
				return
			}
			want = string(out)
			require.NoError(t, grammar.Check(grammar.OpenAI(true), out))
			again := dialecttest.Decode(back.NewDecoder(&f, nil, lim), out)
			for _, kind := range []llm.PartKind{llm.TextPart, llm.ReasoningPart, llm.ToolCallPart} {
				require.Equal(t, dialecttest.Said(events, 0, kind), dialecttest.Said(again, 0, kind))
			}
			require.Equal(t, dialecttest.Last(events), dialecttest.Last(again))
		}
		translate([]byte(r.Response))
		dialecttest.Delimiters([]byte(r.Response), translate)
		dialecttest.Partitions([]byte(r.Response), 5, 4, translate)
	}
}

// Every recorded answer of OpenAI and servers like it becomes an answer to an
// Anthropic client.
func TestRecordedAnswersTranslateBack(t *testing.T) {
	client, provider, back := anthropic.Messages().Client, openai.Chat().Provider, anthropic.Messages().Provider
	lim := dialect.Limits{Event: 1 << 20}
	f := llm.Facts{Stream: true, Choices: 1, WantsUsage: true}
	for _, r := range dialecttest.Recordings(t, "openai-chat-completions.jsonl", "openai-compatible.jsonl", "azure-chat.jsonl") {
		if r.Status != 200 {
			continue
		}
		if !r.Streamed() {
			a, err := provider.Decode(&f, nil, []byte(r.Response))
			if err != nil {
				require.Equal(t, llm.ContentFilter, err.Class)
				continue
			}
			out := client.AppendAnswer(nil, &f, "shown", a, nil)
			require.True(t, json.Valid(out), r.ID)
			b, err := back.Decode(&f, nil, out)
			require.Nil(t, err)
			require.Equal(t, a.Usage.InputTotal(), b.Usage.InputTotal())
			require.Equal(t, a.Usage.OutputTotal(), b.Usage.OutputTotal())
			continue
		}
		events := dialecttest.Decode(provider.NewDecoder(&f, nil, lim), []byte(r.Response))
		out := dialecttest.Encode(client.NewEncoder(&f, "shown"), events)
		require.NoError(t, grammar.Check(grammar.Anthropic(), out), r.ID)
		again := dialecttest.Decode(back.NewDecoder(&f, nil, lim), out)
		for _, kind := range []llm.PartKind{llm.TextPart, llm.ReasoningPart, llm.ToolCallPart} {
			require.Equal(t, dialecttest.Said(events, 0, kind), dialecttest.Said(again, 0, kind), r.ID)
		}
		if u := dialecttest.Last(events); u != nil {
			require.Equal(t, u.Total(), dialecttest.Last(again).Total())
		}
	}
}

func BenchmarkAnthropicToOpenAI51(b *testing.B) {
	chunks := [][]byte{
		[]byte("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01ApaK754YQvujSfdPXzsdyD\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-5\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":24,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":1}}}\n\n"),
		[]byte("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"),
	}
	for range 46 {
		chunks = append(chunks, []byte("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word and another\"}      }\n\n"))
	}
	chunks = append(chunks,
		[]byte("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"),
		[]byte("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":46}}\n\n"),
		[]byte("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"))
	client, provider := openai.Chat().Client, anthropic.Messages().Provider
	f := llm.Facts{Stream: true, Choices: 1}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		d := provider.NewDecoder(&f, nil, dialect.Limits{Event: 1 << 20})
		e := client.NewEncoder(&f, "fast")
		emit := func(ev *llm.Event) { out = e.Append(out, ev) }
		for _, c := range chunks {
			out = out[:0]
			d.Write(c, emit)
		}
		d.Close(emit)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(chunks)), "ns/event")
}
