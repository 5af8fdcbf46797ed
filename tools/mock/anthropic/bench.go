package anthropic

import (
	"fmt"
	"net/http"

	"github.com/posterngw/postern/tools/mock/core"
)

const benchHead = `{"model":"%s","id":"msg_01bench","type":"message","role":"assistant","content":[`

const benchUsage = `{"input_tokens":75,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":%d}`

// Bench implements core.Dialect.
func (Dialect) Bench(b core.Bench) core.Reply {
	if b.Stream {
		return benchStream(b)
	}
	n := max(b.Chunks, 1)
	head := fmt.Sprintf(benchHead, b.Model) + `{"type":"text","text":"`
	tail := `"}],"stop_reason":"end_turn","stop_sequence":null,"usage":` + fmt.Sprintf(benchUsage, n) + "}"
	body := head + core.BenchText(max(b.Bytes-len(head)-len(tail), b.Chunks*5)) + tail
	return core.Reply{
		Status: 200, Header: http.Header{"Content-Type": {jsonType}}, Body: []byte(body),
		Usage: &core.Usage{Input: 75, Output: n}, Reports: true,
	}
}

func benchStream(b core.Bench) core.Reply {
	n, text := max(b.Chunks, 1), " word"
	if b.Bytes > 0 {
		text = core.BenchText(b.Bytes)
	}
	var frames []core.Frame
	add := func(kind core.FrameKind, name, data string) {
		frames = append(frames, core.Frame{Kind: kind, Data: sse(name, []byte(data))})
	}
	add(core.Opening, "message_start", `{"type":"message_start","message":`+fmt.Sprintf(benchHead, b.Model)+
		`],"stop_reason":null,"stop_sequence":null,"usage":`+fmt.Sprintf(benchUsage, 1)+`}}`)
	add(core.Opening, "content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)
	for range n {
		add(core.Content, "content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"`+text+`"}}`)
	}
	add(core.Content, "content_block_stop", `{"type":"content_block_stop","index":0}`)
	add(core.Closing, "message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":`+fmt.Sprintf(benchUsage, n)+`}`)
	frames[len(frames)-1].Reports = true
	add(core.Closing, "message_stop", `{"type":"message_stop"}`)
	return core.Reply{
		Status: 200, Header: http.Header{"Content-Type": {eventType}}, Frames: frames,
		Usage: &core.Usage{Input: 75, Output: n},
	}
}
