package replay

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// frames reads an AWS event stream the simple way: the payloads with the values
// of :event-type and :exception-type.
func frames(body []byte) ([]event, error) {
	var list []event
	for len(body) > 0 {
		if len(body) < 16 {
			return list, errors.New("a message is cut short")
		}
		total, head := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
		if uint64(total) > uint64(len(body)) || uint64(head)+16 > uint64(total) {
			return list, errors.New("a message is longer than the stream")
		}
		message := body[:total]
		body = body[total:]
		if crc32.ChecksumIEEE(message[:8]) != binary.BigEndian.Uint32(message[8:]) ||
			crc32.ChecksumIEEE(message[:total-4]) != binary.BigEndian.Uint32(message[total-4:]) {
			return list, errors.New("a checksum is wrong")
		}
		name, err := eventName(message[12 : 12+head])
		if err != nil {
			return list, err
		}
		list = append(list, event{name, string(message[12+head : total-4])})
	}
	return list, nil
}

// stringHeader is the type of a header whose value is text.
const stringHeader = 7

func eventName(h []byte) (string, error) {
	name := ""
	for len(h) > 0 {
		n := int(h[0])
		if len(h) < n+4 || h[n+1] != stringHeader {
			return "", errors.New("a header that is no text")
		}
		size := int(binary.BigEndian.Uint16(h[n+2:]))
		if len(h) < n+4+size {
			return "", errors.New("a header is cut short")
		}
		if key := string(h[1 : n+1]); key == ":event-type" || key == ":exception-type" {
			name = string(h[n+4 : n+4+size])
		}
		h = h[n+4+size:]
	}
	return name, nil
}

func readConverse(stream bool, body []byte) (*Said, error) {
	s := &Said{}
	if !stream {
		v, err := decode(body)
		s.converseError(v)
		for _, b := range v.at("output", "message", "content").list() {
			s.converseBlock(b)
		}
		s.converseUsage(v.at("usage"))
		return s, err
	}
	list, err := frames(body)
	if err != nil {
		return nil, err
	}
	var parts calls
	for _, e := range list {
		v, err := decode([]byte(e.data))
		if err != nil {
			return nil, err
		}
		s.converseEvent(e.name, v, &parts)
	}
	parts.into(s)
	return s, nil
}

func (s *Said) converseError(v value) {
	if m := v.at("message"); m.text() != "" {
		s.Error = v.json()
	}
}

func (s *Said) converseEvent(name string, v value, parts *calls) {
	switch name {
	case "contentBlockStart":
		if t := v.at("start", "toolUse"); t.is() {
			parts.add(len(parts.names), t.at("name").text(), "")
		}
	case "contentBlockDelta":
		s.Text += v.at("delta", "text").text()
		s.Reasoning += v.at("delta", "reasoningContent", "text").text()
		if piece := v.at("delta", "toolUse", "input").text(); piece != "" {
			parts.add(len(parts.names)-1, "", piece)
		}
	case "metadata":
		s.converseUsage(v.at("usage"))
	case "messageStart", "contentBlockStop", "messageStop":
	default:
		s.Error = v.json()
	}
}

func (s *Said) converseBlock(b value) {
	s.Text += b.at("text").text()
	s.Reasoning += b.at("reasoningContent", "reasoningText", "text").text()
	for _, c := range b.at("citationsContent", "content").list() {
		s.Text += c.at("text").text()
	}
	if t := b.at("toolUse"); t.is() {
		s.call(t.at("name").text(), t.at("input").json())
	}
}

func (s *Said) converseUsage(u value) {
	if !u.at("inputTokens").is() {
		return
	}
	read, write := u.at("cacheReadInputTokens").int(), u.at("cacheWriteInputTokens").int()
	s.Usage = &Usage{Input: u.at("inputTokens").int() + read + write, Output: u.at("outputTokens").int(), CacheRead: read, CacheWrite: write}
}

// readInvoke reads the answers of InvokeModel, whose form is the model's own.
func readInvoke(stream bool, body []byte) (*Said, error) {
	if !stream {
		v, err := decode(body)
		if err != nil {
			return nil, err
		}
		s := invoked([]value{v})
		return s, nil
	}
	list, err := frames(body)
	if err != nil {
		return nil, err
	}
	var all []value
	for _, e := range list {
		v, err := decode([]byte(e.data))
		if err != nil {
			return nil, err
		}
		if e.name != "chunk" {
			return &Said{Error: v.json()}, nil
		}
		inner, err := base64.StdEncoding.DecodeString(v.at("bytes").text())
		if err != nil {
			return nil, err
		}
		if v, err = decode(inner); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return invoked(all), nil
}

// invoked reads the values of an answer in the forms of the families of models.
func invoked(all []value) *Said {
	s := &Said{}
	var parts calls
	var usage value
	tool := false
	for _, v := range all {
		s.converseError(v)
		// Anthropic
		switch v.at("type").text() {
		case "message":
			s.message(v)
		case "message_start":
			usage = v.at("message", "usage")
		case "content_block_start":
			if tool = v.at("content_block", "type").text() == "tool_use"; tool {
				parts.add(len(parts.names), v.at("content_block", "name").text(), "")
			}
		case "content_block_delta":
			s.Text += v.at("delta", "text").text()
			s.Reasoning += v.at("delta", "thinking").text()
			if piece := v.at("delta", "partial_json").text(); tool && piece != "" {
				parts.add(len(parts.names)-1, "", piece)
			}
		case "message_delta":
			s.messageUsage(v.at("usage"), usage)
		}
		s.family(v, &parts)
		if m := v.at("amazon-bedrock-invocationMetrics"); m.is() && (s.Usage == nil || s.Usage.Output == 0) {
			s.Usage = &Usage{Input: m.at("inputTokenCount").int(), Output: m.at("outputTokenCount").int()}
		}
	}
	parts.into(s)
	return s
}

// family reads the forms of Nova, Titan, Llama, Mistral and Cohere.
func (s *Said) family(v value, parts *calls) {
	for _, b := range v.at("output", "message", "content").list() {
		s.converseBlock(b)
	}
	for _, name := range []string{"contentBlockStart", "contentBlockDelta"} {
		if e := v.at(name); e.is() {
			s.converseEvent(name, e, parts)
		}
	}
	s.converseUsage(v.at("usage"))
	if m := v.at("metadata", "usage"); m.is() {
		s.converseUsage(m)
	}
	s.Text += v.at("outputText").text() + v.at("results", 0, "outputText").text()
	s.Text += v.at("generation").text() + v.at("outputs", 0, "text").text()
	s.Text += v.at("generations", 0, "text").text() + v.at("text").text() + v.at("completion").text()
	if n := v.at("prompt_token_count"); n.is() {
		s.count(n.int(), v.at("generation_token_count").int())
	}
	if n := v.at("inputTextTokenCount"); n.is() {
		s.count(n.int(), v.at("results", 0, "tokenCount").int()+v.at("totalOutputTextTokenCount").int())
	}
}

// count adds to the usage: streams count by the piece.
func (s *Said) count(in, out int64) {
	if s.Usage == nil {
		s.Usage = &Usage{}
	}
	s.Usage.Input = max(s.Usage.Input, in)
	s.Usage.Output = max(s.Usage.Output, out)
}
