package replay

import "strings"

// calls gathers the pieces of tool calls by their index.
type calls struct {
	names, inputs []string
}

func (c *calls) add(i int, name, piece string) {
	for len(c.names) <= i {
		c.names, c.inputs = append(c.names, ""), append(c.inputs, "")
	}
	c.names[i] += name
	c.inputs[i] += piece
}

func (c *calls) into(s *Said) {
	for i, name := range c.names {
		s.call(name, c.inputs[i])
	}
}

func readChat(stream bool, body []byte) (*Said, error) {
	s := &Said{}
	if !stream {
		v, err := decode(body)
		if err != nil {
			return nil, err
		}
		s.chatError(v)
		s.chatUsage(v)
		s.chatMessage(v.at("choices", 0, "message"))
		return s, nil
	}
	chunks, err := values(body)
	var parts calls
	for _, c := range chunks {
		s.chatError(c)
		s.chatUsage(c)
		for _, choice := range c.at("choices").list() {
			if choice.at("index").int() == 0 {
				s.chatDelta(choice.at("delta"), &parts)
			}
		}
	}
	parts.into(s)
	return s, err
}

func (s *Said) chatError(v value) {
	if e := v.at("error"); e.is() {
		s.Error = e.json()
	}
}

func (s *Said) chatMessage(m value) {
	s.chatText(m)
	for _, c := range m.at("tool_calls").list() {
		s.call(c.at("function", "name").text(), c.at("function", "arguments").text())
	}
	if f := m.at("function_call"); f.is() {
		s.call(f.at("name").text(), f.at("arguments").text())
	}
}

// chatText reads what is the same in a message and a delta.
func (s *Said) chatText(m value) {
	s.Text += m.at("content").text() + m.at("refusal").text()
	for _, p := range m.at("content").list() {
		s.Text += p.at("text").text()
		for _, t := range p.at("thinking").list() {
			s.Reasoning += t.at("text").text()
		}
	}
	if r := m.at("reasoning_content").text(); r != "" {
		s.Reasoning += r
	} else {
		s.Reasoning += m.at("reasoning").text()
	}
}

func (s *Said) chatDelta(d value, parts *calls) {
	s.chatText(d)
	if f := d.at("function_call"); f.is() {
		parts.add(0, f.at("name").text(), f.at("arguments").text())
	}
	for n, c := range d.at("tool_calls").list() {
		i := n
		if c.at("index").is() {
			i = int(c.at("index").int())
		}
		parts.add(i, c.at("function", "name").text(), c.at("function", "arguments").text())
	}
}

func (s *Said) chatUsage(v value) {
	u := v.at("usage")
	if !u.at("prompt_tokens").is() {
		u = v.at("x_groq", "usage")
	}
	if !u.at("prompt_tokens").is() {
		return
	}
	in, out := u.at("prompt_tokens").int(), u.at("completion_tokens").int()
	reasoning := u.at("completion_tokens_details", "reasoning_tokens").int()
	if total := u.at("total_tokens").int(); reasoning > 0 && total == in+out+reasoning {
		out += reasoning // some servers count it apart
	}
	s.Usage = &Usage{Input: in, Output: out, Reasoning: reasoning, CacheRead: u.at("prompt_tokens_details", "cached_tokens").int()}
}

func readCompletion(stream bool, body []byte) (*Said, error) {
	s := &Said{}
	chunks, err := []value(nil), error(nil)
	if stream {
		chunks, err = values(body)
	} else {
		chunks = make([]value, 1)
		chunks[0], err = decode(body)
	}
	for _, c := range chunks {
		s.chatError(c)
		s.chatUsage(c)
		for _, choice := range c.at("choices").list() {
			if choice.at("index").int() == 0 {
				s.Text += choice.at("text").text()
			}
		}
	}
	return s, err
}

func readEmbeddings(_ bool, body []byte) (*Said, error) {
	v, err := decode(body)
	s := &Said{Items: len(v.at("data").list())}
	s.chatError(v)
	s.chatUsage(v)
	return s, err
}

func readResponse(stream bool, body []byte) (*Said, error) {
	s := &Said{}
	if !stream {
		v, err := decode(body)
		s.response(v)
		return s, err
	}
	all, err := values(body)
	var streamed strings.Builder
	for _, e := range all {
		switch e.at("type").text() {
		case "response.output_text.delta", "response.refusal.delta":
			streamed.WriteString(e.at("delta").text())
		case "error":
			s.Error = e.json()
		case "response.completed", "response.incomplete", "response.failed":
			s.response(e.at("response"))
		}
	}
	if s.Text != streamed.String() {
		// What was streamed counts for a client that reads along.
		s.Text = streamed.String()
	}
	return s, err
}

func (s *Said) response(r value) {
	if e := r.at("error"); e.is() {
		s.Error = e.json()
	}
	for _, item := range r.at("output").list() {
		switch item.at("type").text() {
		case "message":
			for _, p := range item.at("content").list() {
				s.Text += p.at("text").text() + p.at("refusal").text()
			}
		case "function_call":
			s.call(item.at("name").text(), item.at("arguments").text())
		case "reasoning":
			for _, p := range append(item.at("summary").list(), item.at("content").list()...) {
				s.Reasoning += p.at("text").text()
			}
		}
	}
	if u := r.at("usage"); u.is() {
		s.Usage = &Usage{Input: u.at("input_tokens").int(), Output: u.at("output_tokens").int(),
			CacheRead: u.at("input_tokens_details", "cached_tokens").int(),
			Reasoning: u.at("output_tokens_details", "reasoning_tokens").int()}
	}
}
