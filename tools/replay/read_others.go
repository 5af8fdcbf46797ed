package replay

func readMessages(stream bool, body []byte) (*Said, error) {
	s := &Said{}
	if !stream {
		v, err := decode(body)
		s.message(v)
		return s, err
	}
	all, err := values(body)
	var blocks calls
	var usage value
	kinds := map[int64]string{}
	for _, e := range all {
		i := e.at("index").int()
		switch e.at("type").text() {
		case "message_start":
			usage = e.at("message", "usage")
			s.messageUsage(usage, usage)
		case "content_block_start":
			kinds[i] = e.at("content_block", "type").text()
			if kinds[i] == "tool_use" {
				blocks.names, blocks.inputs = append(blocks.names, e.at("content_block", "name").text()), append(blocks.inputs, "")
			}
			s.Text += e.at("content_block", "text").text()
		case "content_block_delta":
			s.Text += e.at("delta", "text").text()
			s.Reasoning += e.at("delta", "thinking").text()
			if piece := e.at("delta", "partial_json").text(); kinds[i] == "tool_use" {
				blocks.inputs[len(blocks.inputs)-1] += piece
			}
		case "message_delta":
			s.messageUsage(e.at("usage"), usage)
		case "error":
			s.Error = e.json()
		}
	}
	blocks.into(s)
	return s, err
}

func (s *Said) message(v value) {
	if v.at("type").text() == "error" {
		s.Error = v.json()
	}
	for _, b := range v.at("content").list() {
		switch b.at("type").text() {
		case "text":
			s.Text += b.at("text").text()
		case "thinking":
			s.Reasoning += b.at("thinking").text()
		case "tool_use":
			s.call(b.at("name").text(), b.at("input").json())
		}
	}
	s.messageUsage(v.at("usage"), v.at("usage"))
}

// messageUsage takes what u says, and from before what it does not.
func (s *Said) messageUsage(u, before value) {
	if !u.at("output_tokens").is() {
		return
	}
	n := func(name string) int64 {
		if x := u.at(name); x.is() {
			return x.int()
		}
		return before.at(name).int()
	}
	read, write := n("cache_read_input_tokens"), n("cache_creation_input_tokens")
	s.Usage = &Usage{Input: n("input_tokens") + read + write, Output: n("output_tokens"), CacheRead: read, CacheWrite: write}
}

func readGemini(stream bool, body []byte) (*Said, error) {
	s := &Said{}
	var all []value
	var err error
	if stream && len(body) > 0 && body[0] != '[' {
		all, err = values(body)
	} else {
		var v value
		v, err = decode(body)
		if all = v.list(); len(all) == 0 {
			all = []value{v}
		}
	}
	for _, c := range all {
		s.chatError(c)
		s.Items += len(c.at("embeddings").list()) + len(c.at("predictions").list())
		if c.at("embedding").is() {
			s.Items++
		}
		for _, candidate := range c.at("candidates").list() {
			if candidate.at("index").int() != 0 {
				continue
			}
			for _, p := range candidate.at("content", "parts").list() {
				s.geminiPart(p)
			}
		}
		s.geminiUsage(c.at("usageMetadata"))
	}
	return s, err
}

func (s *Said) geminiPart(p value) {
	if f := p.at("functionCall"); f.is() {
		s.call(f.at("name").text(), f.at("args").json())
		return
	}
	if thought, _ := p.at("thought").v.(bool); thought {
		s.Reasoning += p.at("text").text()
		return
	}
	s.Text += p.at("text").text()
}

func (s *Said) geminiUsage(u value) {
	if !u.at("promptTokenCount").is() {
		return
	}
	thoughts := u.at("thoughtsTokenCount").int()
	s.Usage = &Usage{Input: u.at("promptTokenCount").int() + u.at("toolUsePromptTokenCount").int(),
		Output: u.at("candidatesTokenCount").int() + thoughts, Reasoning: thoughts, CacheRead: u.at("cachedContentTokenCount").int()}
}

func readCohere(stream bool, body []byte) (*Said, error) {
	s := &Said{}
	if !stream {
		v, err := decode(body)
		s.cohere(v)
		return s, err
	}
	all, err := values(body)
	if err != nil || len(all) == 0 { // version 1 streams lines
		all, err = lines(body)
	}
	var parts calls
	for _, e := range all {
		m := e.at("delta", "message")
		switch e.at("type").text() {
		case "content-delta", "content-start":
			s.Text += m.at("content", "text").text()
			s.Reasoning += m.at("content", "thinking").text()
		case "tool-plan-delta":
			s.Reasoning += m.at("tool_plan").text()
		case "tool-call-start", "tool-call-delta":
			parts.add(int(e.at("index").int()), m.at("tool_calls", "function", "name").text(), m.at("tool_calls", "function", "arguments").text())
		case "message-end":
			s.cohereUsage(e.at("delta", "usage"))
		}
		switch e.at("event_type").text() {
		case "text-generation":
			s.Text += e.at("text").text()
		case "stream-end":
			s.cohereUsage(e.at("response", "meta"))
		}
	}
	parts.into(s)
	return s, err
}

func (s *Said) cohere(v value) {
	m := v.at("message")
	if m.text() != "" {
		s.Error = v.json()
	}
	s.Text = v.at("text").text() + v.at("generations", 0, "text").text()
	s.Reasoning = m.at("tool_plan").text()
	for _, p := range m.at("content").list() {
		s.Text += p.at("text").text()
		s.Reasoning += p.at("thinking").text()
	}
	for _, c := range m.at("tool_calls").list() {
		s.call(c.at("function", "name").text(), c.at("function", "arguments").text())
	}
	for _, c := range v.at("tool_calls").list() {
		s.call(c.at("name").text(), c.at("parameters").json())
	}
	s.Items = len(v.at("results").list()) + max(len(v.at("embeddings", "float").list()), len(v.at("embeddings").list()))
	s.cohereUsage(v.at("usage"))
	s.cohereUsage(v.at("meta"))
}

// cohereUsage takes the tokens that were processed, else those that are billed.
func (s *Said) cohereUsage(u value) {
	t := u.at("tokens")
	if !t.at("input_tokens").is() {
		t = u.at("billed_units")
	}
	if !t.at("input_tokens").is() && !t.at("output_tokens").is() {
		return
	}
	s.Usage = &Usage{Input: t.at("input_tokens").int(), Output: t.at("output_tokens").int(), CacheRead: u.at("cached_tokens").int()}
}

func readOllama(_ bool, body []byte) (*Said, error) {
	s := &Said{}
	all, err := lines(body)
	for _, c := range all {
		s.chatError(c)
		m := c.at("message")
		s.Text += m.at("content").text() + c.at("response").text()
		s.Reasoning += m.at("thinking").text() + c.at("thinking").text()
		for _, t := range m.at("tool_calls").list() {
			s.call(t.at("function", "name").text(), t.at("function", "arguments").json())
		}
		if c.at("eval_count").is() {
			s.Usage = &Usage{Input: c.at("prompt_eval_count").int(), Output: c.at("eval_count").int()}
		}
		s.Items += len(c.at("embeddings").list())
	}
	return s, err
}
