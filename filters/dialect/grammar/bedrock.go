package grammar

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// EventStream takes an AWS event stream apart, by the letter of its encoding:
// lengths, both checksums, headers that are strings. A frame is named by its
// :event-type, or by "exception " and its :exception-type.
func EventStream(stream []byte) ([]Frame, error) {
	var list []Frame
	for len(stream) > 0 {
		if len(stream) < 16 {
			return nil, errors.New("a message without its prelude")
		}
		size, head := binary.BigEndian.Uint32(stream), binary.BigEndian.Uint32(stream[4:])
		if int(size) > len(stream) || size < 16+head {
			return nil, errors.New("the lengths are wrong")
		}
		m := stream[:size]
		stream = stream[size:]
		end := len(m) - 4
		if crc32.ChecksumIEEE(m[:8]) != binary.BigEndian.Uint32(m[8:]) || crc32.ChecksumIEEE(m[:end]) != binary.BigEndian.Uint32(m[end:]) {
			return nil, errors.New("a checksum is wrong")
		}
		h, err := textHeaders(m[12 : 12+head])
		if err != nil {
			return nil, err
		}
		if h[":content-type"] != "application/json" {
			return nil, errors.New("a message that is not JSON")
		}
		f := Frame{Name: h[":event-type"], Data: string(m[12+head : end])}
		switch h[":message-type"] {
		case "event":
		case "exception":
			f.Name = "exception " + h[":exception-type"]
		default:
			return nil, fmt.Errorf("a message of type %q", h[":message-type"])
		}
		list = append(list, f)
	}
	return list, nil
}

func textHeaders(b []byte) (map[string]string, error) {
	h := map[string]string{}
	for len(b) > 0 {
		n := int(b[0])
		if len(b) < n+4 || b[n+1] != 7 {
			return nil, errors.New("a header that is no string")
		}
		size := int(binary.BigEndian.Uint16(b[n+2:]))
		if len(b) < n+4+size {
			return nil, errors.New("a header beyond its message")
		}
		h[string(b[1:1+n])] = string(b[n+4 : n+4+size])
		b = b[n+4+size:]
	}
	return h, nil
}

// Converse is the grammar of ConverseStream (API reference, ConverseStream):
// messageStart once and first; blocks by their index, one after the other, of
// which calls begin with contentBlockStart and all end with contentBlockStop;
// messageStop with the reason; metadata with the usage once and last. An
// exception ends the stream.
func Converse() Grammar { return &converse{} }

type converse struct {
	started, open, stopped, ended bool
	blocks                        int
	kind                          string // of the open block
}

type converseEvent struct {
	Role   string `json:"role"`
	Index  *int   `json:"contentBlockIndex"`
	Reason string `json:"stopReason"`
	Start  *struct {
		ToolUse *struct {
			ID   string `json:"toolUseId"`
			Name string `json:"name"`
		} `json:"toolUse"`
	} `json:"start"`
	Delta map[string]json.RawMessage `json:"delta"`
	Usage *struct {
		Input  *int64 `json:"inputTokens"`
		Output *int64 `json:"outputTokens"`
		Total  *int64 `json:"totalTokens"`
	} `json:"usage"`
	Metrics *struct {
		Latency *int64 `json:"latencyMs"`
	} `json:"metrics"`
	Message string `json:"message"`
}

func (g *converse) Event(name, data string) error {
	var p problems
	var e converseEvent
	p.must(json.Unmarshal([]byte(data), &e) == nil, "not an event")
	p.must(!g.ended, "something follows the end")
	p.must(g.started || name == "messageStart" || strings.HasPrefix(name, "exception "), "no messageStart before")
	if p.err != nil {
		return p.err
	}
	switch name {
	case "messageStart":
		p.must(!g.started && e.Role == "assistant", "a second messageStart, or one of another role")
		g.started = true
	case "contentBlockStart":
		p.must(!g.open && !g.stopped, "blocks overlap, or a block after the stop reason")
		p.must(e.Start != nil && e.Start.ToolUse != nil && e.Start.ToolUse.ID != "" && e.Start.ToolUse.Name != "", "a call without id or name")
		g.begin(&p, &e, "toolUse")
	case "contentBlockDelta":
		g.delta(&p, &e)
	case "contentBlockStop":
		p.must(g.open && e.Index != nil && *e.Index == g.blocks-1, "stops a block that is not open")
		g.open = false
	case "messageStop":
		p.must(!g.open && !g.stopped && e.Reason != "", "messageStop within a block, twice, or without a reason")
		g.stopped = true
	case "metadata":
		g.metadata(&p, &e)
	default:
		p.must(strings.HasPrefix(name, "exception ") && e.Message != "", "an unknown event, or an exception without words")
		g.ended = true
	}
	return p.err
}

func (g *converse) metadata(p *problems, e *converseEvent) {
	p.must(g.stopped, "metadata before messageStop")
	p.must(e.Usage != nil && e.Usage.Input != nil && e.Usage.Output != nil && e.Usage.Total != nil, "no usage")
	p.must(e.Metrics != nil && e.Metrics.Latency != nil, "no metrics")
	g.ended = true
}

func (g *converse) begin(p *problems, e *converseEvent, kind string) {
	p.must(e.Index != nil && *e.Index == g.blocks, "a gap in the blocks")
	g.open, g.kind = true, kind
	g.blocks++
}

func (g *converse) delta(p *problems, e *converseEvent) {
	p.must(len(e.Delta) == 1, "not one kind of delta")
	for kind := range e.Delta {
		if kind == "citation" {
			kind = "text"
		}
		p.must(!g.stopped, "a block after the stop reason")
		if !g.open && kind != "toolUse" {
			g.begin(p, e, kind)
		}
		p.must(g.open && g.kind == kind, "%s in a block of %s", kind, g.kind)
	}
	p.must(e.Index != nil && *e.Index == g.blocks-1, "a delta of a block that is not open")
}

func (g *converse) End() error {
	var p problems
	p.must(g.ended, "no metadata")
	return p.err
}
