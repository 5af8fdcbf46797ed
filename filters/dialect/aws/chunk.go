package aws

import (
	"bytes"
	"encoding/base64"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Chunks reads the answers of InvokeModelWithResponseStream: each message holds
// one event of the model's own API, as {"bytes": base64}. Feed it, then call Next
// until it returns false; Err is then why there are no more, if there is a reason.
type Chunks struct {
	frames eventstream.Framer
	limits jsonx.Limits
	buf    []byte
	err    *llm.Error
}

// NewChunks returns a reader with the given limits.
func NewChunks(lim dialect.Limits) *Chunks {
	return &Chunks{frames: *eventstream.NewFramer(eventstream.Limits{Message: lim.Event}),
		limits: jsonx.Limits{Depth: lim.Depth, Bytes: lim.Event}}
}

// Feed hands over the next chunk of bytes.
func (c *Chunks) Feed(chunk []byte) { c.frames.Feed(chunk) }

// Frames is the framer, for those who pass the messages on: they take the events
// out of them by Open.
func (c *Chunks) Frames() *eventstream.Framer { return &c.frames }

// Next returns the JSON of the next event; it is valid until the next call. A
// message that holds none is an empty one.
func (c *Chunks) Next() (data []byte, ok bool) {
	if c.err != nil {
		return nil, false
	}
	m, ok := c.frames.Next()
	if !ok {
		if err := c.frames.Err(); err != nil {
			c.err = BrokenStream(err)
		}
		return nil, false
	}
	return c.Open(&m)
}

// Open takes the event out of a message; false when it is an exception, or holds none.
func (c *Chunks) Open(m *eventstream.Message) ([]byte, bool) {
	if c.err = Exception(m); c.err != nil {
		return nil, false
	}
	if err := jsonx.Valid(m.Payload, c.limits); err != nil {
		return c.bad("a chunk is not JSON: " + err.Error())
	}
	raw, _ := jsonx.Lookup(m.Payload, "bytes")
	text := jsonx.Interior(raw)
	if bytes.IndexByte(text, '\\') >= 0 {
		text = jsonx.Unescape(nil, text)
	}
	var err error
	if c.buf, err = base64.StdEncoding.AppendDecode(c.buf[:0], text); err != nil {
		return c.bad("a chunk is not base64")
	}
	if len(c.buf) == 0 {
		return c.buf, true
	}
	if err := jsonx.Valid(c.buf, c.limits); err != nil {
		return c.bad("an event in a chunk is not JSON: " + err.Error())
	}
	return c.buf, true
}

func (c *Chunks) bad(cause string) ([]byte, bool) {
	c.err = dialect.Malformed(cause)
	return nil, false
}

// Err is why Next returns no more events; nil when it only waits for bytes.
func (c *Chunks) Err() *llm.Error { return c.err }

// Close ends the stream: within a message that is an error.
func (c *Chunks) Close() *llm.Error {
	if err := c.frames.Close(); err != nil && c.err == nil {
		c.err = BrokenStream(err)
	}
	return c.err
}

// AppendChunk writes one event of a model's own API as a message.
func AppendChunk(dst, event []byte) []byte {
	w := eventstream.Writer{B: dst}
	w.Begin()
	w.Text(":event-type", "chunk")
	w.Text(":content-type", "application/json")
	w.Text(":message-type", "event")
	w.Body()
	w.B = append(w.B, `{"bytes":"`...)
	w.B = base64.StdEncoding.AppendEncode(w.B, event)
	w.B = append(w.B, `"}`...)
	w.End()
	return w.B
}

// metricsKey stands in the last event of every stream, which lastEvent ends where it
// is Claude's.
var (
	metricsKey = []byte(`"amazon-bedrock-invocationMetrics"`)
	lastEvent  = []byte(`"message_stop"}`)
)

// appendMetrics adds what the answer cost to an event that is open, and closes it.
// How long the model took is not known.
func appendMetrics(dst []byte, u *llm.Usage) []byte {
	w := dialect.Writer{B: dst}
	w.Object("amazon-bedrock-invocationMetrics")
	w.Int("inputTokenCount", u.Input)
	w.Int("outputTokenCount", u.OutputTotal())
	w.Int("cacheReadInputTokenCount", u.CacheRead)
	w.Int("cacheWriteInputTokenCount", u.CacheWrite)
	w.B = append(w.B, "}}"...)
	return w.B
}

// Metrics is what Bedrock itself counted: it adds that to the last event of a
// stream, whatever the model's own API says. Unknown when the event has none.
func Metrics(event []byte) (u llm.Usage) {
	if !bytes.Contains(event, metricsKey) {
		return u
	}
	raw, _ := jsonx.Lookup(event, "amazon-bedrock-invocationMetrics")
	for it := jsonx.Members(raw); it.Next(); {
		n, ok := jsonx.Int(it.Value())
		if !ok {
			continue
		}
		n = dialect.Tokens(n)
		switch string(dialect.Name(&it)) {
		case "inputTokenCount":
			u.Input, u.Known = n, true
		case "outputTokenCount":
			u.Output, u.Known = n, true
		case "cacheReadInputTokenCount":
			u.CacheRead = n
		case "cacheWriteInputTokenCount":
			u.CacheWrite = n
		}
	}
	return u
}
