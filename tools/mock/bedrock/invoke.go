package bedrock

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/tools/mock/anthropic"
	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// families are the models by whose bodies InvokeModel goes; the first that the
// model's name holds is meant.
var families = []struct {
	models string
	chat   core.Chat
}{
	{"anthropic.", claude{anthropic.Carried(catalogue())}},
	{"amazon.nova", nova{}},
	{"meta.llama", &llama},
	{"mistral.mistral-7b", &mistral},
	{"amazon.titan-text", &titan},
	{"cohere.command-r", &command},
	{"mock", claude{anthropic.Carried(catalogue())}},
}

// invoke answers InvokeModel and InvokeModelWithResponseStream.
func (d Dialect) invoke(x *core.Exchange, stream bool) core.Reply {
	x.Stream = stream
	x.Model = modelOf(x)
	if !stream && slices.ContainsFunc(embedders(), func(m core.Model) bool { return m.ID == x.Model }) {
		return d.embed(x)
	}
	for _, f := range families {
		if strings.Contains(x.Model, f.models) {
			return core.ServeChat(x, d, f.chat)
		}
	}
	return d.Refuse(x, d.Fault(core.NoModel, x))
}

// malformed words all that is wrong with a body, as the check in front of the models
// does.
func malformed(body *strict.Value, spec *strict.Spec) *core.Fault {
	var words strings.Builder
	for _, p := range strict.Check(body, spec) {
		at := strings.Split(p.Path.Dotted(), ".")
		parent, key := "#", at[len(at)-1]
		for _, step := range at[:len(at)-1] {
			parent += "/" + step
		}
		switch p.Reason {
		case strict.Unknown:
			words.WriteString(parent + ": extraneous key [" + key + "] is not permitted")
		case strict.Missing:
			words.WriteString(parent + ": required key [" + key + "] not found")
		default:
			words.WriteString(parent + "/" + key + ": a value that the model does not take")
		}
	}
	if words.Len() == 0 {
		return nil
	}
	return invalid("Malformed input request: %s, please reformat your input and try again.", words.String())
}

// invoked is a whole answer to InvokeModel, whose headers count.
func invoked(x *core.Exchange, u core.Usage, body []byte) core.Reply {
	h := header(x, jsonType)
	if !x.Scenario.NoUsage {
		h.Set("x-amzn-bedrock-input-token-count", strconv.Itoa(u.Input-u.CacheRead-u.CacheWrite))
		h.Set("x-amzn-bedrock-output-token-count", strconv.Itoa(u.Output))
		h.Set("x-amzn-bedrock-cache-read-input-token-count", strconv.Itoa(u.CacheRead))
		h.Set("x-amzn-bedrock-cache-write-input-token-count", strconv.Itoa(u.CacheWrite))
	}
	return core.Reply{Status: 200, Header: h, Body: body, Reports: !x.Scenario.NoUsage}
}

// chunked is a streamed answer: each frame's data is a model's event, and the last
// one is added what Bedrock counted.
func chunked(x *core.Exchange, u core.Usage, frames []core.Frame) core.Reply {
	r := x.World.Rand("padding", x.RequestID)
	for i := range frames {
		f := &frames[i]
		if i == len(frames)-1 && !x.Scenario.NoUsage {
			f.Data, f.Reports = withMetrics(f.Data, u), true
		}
		f.Data = frame("event", "chunk", encode(object{"bytes": f.Data, "p": padding[:1+r.Intn(len(padding))]}))
	}
	return core.Reply{Status: 200, Header: header(x, eventType), Frames: frames}
}

// withMetrics adds a member to an event.
func withMetrics(event []byte, u core.Usage) []byte {
	metrics := object{"inputTokenCount": u.Input - u.CacheRead - u.CacheWrite, "outputTokenCount": u.Output, "invocationLatency": 512, "firstByteLatency": 128}
	if u.CacheRead+u.CacheWrite > 0 {
		metrics["cacheReadInputTokenCount"], metrics["cacheWriteInputTokenCount"] = u.CacheRead, u.CacheWrite
	}
	event = bytes.TrimSuffix(bytes.TrimSpace(event), []byte("}"))
	return append(append(append(event, `,"amazon-bedrock-invocationMetrics":`...), encode(metrics)...), '}')
}

// claude has the bodies of the Messages API; its errors are told in Bedrock's.
type claude struct{ core.Chat }

func validated(f *core.Fault) *core.Fault {
	if f == nil {
		return nil
	}
	return invalid("%s", f.Message)
}

// Check implements core.Chat.
func (c claude) Check(x *core.Exchange, body *strict.Value, m *core.Model) *core.Fault {
	return validated(c.Chat.Check(x, body, m))
}

// Read implements core.Chat.
func (c claude) Read(x *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	t, f := c.Chat.Read(x, body, m)
	return claudeTurn{t}, validated(f)
}

type claudeTurn struct{ core.Turn }

// Whole implements core.Turn.
func (t claudeTurn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	return invoked(x, a.Usage, t.Turn.Whole(x, a).Body)
}

// Stream implements core.Turn: the events of the Messages API, but for its pings.
func (t claudeTurn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	var frames []core.Frame
	for _, f := range t.Turn.Stream(x, a).Frames {
		name, data, _ := bytes.Cut(f.Data, []byte("\ndata: "))
		if string(name) != "event: ping" {
			frames = append(frames, core.Frame{Kind: f.Kind, Data: bytes.TrimSpace(data)})
		}
	}
	return chunked(x, a.Usage, frames)
}

// nova has the bodies of Converse, with a version, and its events as members of
// chunks.
type nova struct{ converse }

// Check implements core.Chat.
func (nova) Check(_ *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
	for i, m := range body.Get("messages").List() {
		for j, block := range m.Get("content").List() {
			if block.Has("document") { // which is Converse's alone
				return invalid("Malformed input request: #/messages/%d/content/%d: extraneous key [document] is not permitted, please reformat your input and try again.", i, j)
			}
		}
	}
	return malformed(body, novaSpec)
}

// Read implements core.Chat.
func (n nova) Read(x *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	t, f := n.converse.Read(x, body, m)
	if f != nil {
		return nil, f
	}
	p := t.Prompt()
	p.MaxTokens = max(p.MaxTokens, body.Get("inferenceConfig").Get("max_new_tokens").Int(0))
	return novaTurn{t}, nil
}

type novaTurn struct{ core.Turn }

// Whole implements core.Turn.
func (t novaTurn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	var out map[string]json.RawMessage
	if err := json.Unmarshal(t.Turn.Whole(x, a).Body, &out); err != nil {
		return core.Reply{Status: 500}
	}
	delete(out, "metrics")
	return invoked(x, a.Usage, encode(out))
}

// Stream implements core.Turn.
func (t novaTurn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	s := &streamer{r: x.World.Rand("stream", x.RequestID), bare: true}
	s.turn(x, a)
	return chunked(x, a.Usage, s.frames)
}
