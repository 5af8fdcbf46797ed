package openai

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
)

const benchHead = `{"id":"chatcmpl-bench","object":"chat.completion%s","created":1700000000,"model":"%s","service_tier":"default","system_fingerprint":"fp_bench","choices":[`

const benchUsage = `{"prompt_tokens":75,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`

// Bench implements core.Dialect.
func (Dialect) Bench(b core.Bench) core.Reply {
	if b.Stream {
		return benchStream(b)
	}
	n := max(b.Chunks, 1)
	head := fmt.Sprintf(benchHead, "", b.Model) + `{"index":0,"message":{"role":"assistant","content":"`
	tail := `","refusal":null},"finish_reason":"stop"}],"usage":` + fmt.Sprintf(benchUsage, n, 75+n) + "}\n"
	body := head + core.BenchText(max(b.Bytes-len(head)-len(tail), b.Chunks*5)) + tail
	return core.Reply{
		Status: 200, Header: http.Header{"Content-Type": {jsonType}}, Body: []byte(body),
		Usage: &core.Usage{Input: 75, Output: n}, Reports: true,
	}
}

func benchStream(b core.Bench) core.Reply {
	head := "data: " + fmt.Sprintf(benchHead, ".chunk", b.Model)
	n, text := max(b.Chunks, 1), " word"
	if b.Bytes > 0 {
		text = core.BenchText(b.Bytes)
	}
	frames := []core.Frame{benchFrame(core.Opening, head, `{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]}`)}
	for range n {
		frames = append(frames, benchFrame(core.Content, head, `{"index":0,"delta":{"content":"`+text+`"},"finish_reason":null}]}`))
	}
	frames = append(frames, benchFrame(core.Closing, head, `{"index":0,"delta":{},"finish_reason":"stop"}]}`))
	if b.Usage {
		f := benchFrame(core.Closing, head, `],"usage":`+fmt.Sprintf(benchUsage, n, 75+n)+`}`)
		f.Reports = true
		frames = append(frames, f)
	}
	frames = append(frames, core.Frame{Kind: core.Closing, Data: []byte("data: [DONE]\n\n")})
	return core.Reply{
		Status: 200, Header: http.Header{"Content-Type": {eventType}}, Frames: frames,
		Usage: &core.Usage{Input: 75, Output: n},
	}
}

func benchFrame(kind core.FrameKind, parts ...string) core.Frame {
	return core.Frame{Kind: kind, Data: []byte(strings.Join(parts, "") + "\n\n")}
}
