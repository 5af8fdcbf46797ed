package anthropic_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/llm"
)

func event(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// What an event is like does not change what becomes of it.
func TestRepeatedEvents(t *testing.T) {
	forms := []string{
		event("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"}}`),
		event("content_block_delta", `{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"%s"}}`),
		event("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"},"x":{"text":"y"}}`),
		event("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"%s"}}`),
		event("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"%s"}}`),
		"data: {\"type\":\"content_block_delta\",\"index\":0,\r\ndata: \"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"}}\r\n\r\n",
	}
	others := []string{": ping\n\n", "\n", event("ping", `{"type":"ping"}`), event("message_stop", `{"type":"message_stop"}`),
		event("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`),
		event("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s"}}`),
		event("content_block_stop", `{"type":"content_block_stop","index":0}`),
		event("message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}`)}
	start := event("message_start", `{"type":"message_start","message":{"id":"m","usage":{"input_tokens":1}}}`) + others[4]
	rapid.Check(t, func(t *rapid.T) {
		lim := dialect.Limits{Event: rapid.SampledFrom([]int{150, 4096}).Draw(t, "limit")}
		dialecttest.Repeats(t, forms, others, func(chunks ...[]byte) string {
			chunks = append([][]byte{[]byte(start)}, chunks...)
			return dialecttest.Passed(codec.Same.NewTap(&llm.Facts{Stream: true}, lim, &dialect.Patch{}), chunks...) +
				dialecttest.Decoded(codec.Provider.NewDecoder(nil, nil, lim), chunks...)
		})
	})
}
