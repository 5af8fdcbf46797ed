package replay

import (
	"strings"
)

// asked is what a request asks for, whatever API it is written in: read by
// encoding/json, as the codecs do not.
type asked struct {
	System string
	Turns  []string // what each side said, in order; what a side said on end is joined
	Tools  []string
	Choice string
	Max    int64
	Temp   string
	Stop   []string
}

// atom is a piece of a conversation.
type atom struct {
	side, kind, value string
}

// conversation gathers pieces and gives the calls' names to their results.
type conversation struct {
	asked
	atoms []atom
	names map[string]string // of calls, by id
}

func (c *conversation) text(side, text string) {
	if side == "system" || side == "developer" {
		c.System += text
		return
	}
	c.atoms = append(c.atoms, atom{side, "text", text})
}

func (c *conversation) call(id, name, arguments string) {
	c.names[id] = name
	c.atoms = append(c.atoms, atom{"assistant", "call", name + normal(arguments)})
}

func (c *conversation) result(id, text string) {
	c.atoms = append(c.atoms, atom{"user", "result", c.names[id] + plainResult(text)})
}

// plainResult is a result's text. Gemini's results are objects: one with a lone
// output is its text.
func plainResult(text string) string {
	v, err := decode([]byte(text))
	if m, ok := v.v.(map[string]any); ok && err == nil {
		if out, ok := m["output"].(string); ok && len(m) == 1 {
			return out
		}
		return normal(text)
	}
	return text
}

// done joins neighbouring texts, and puts the results of a side's turn first: that
// is where the APIs want them.
func (c *conversation) done() *asked {
	if len(c.atoms) == 0 && c.System != "" { // instructions alone are a user's turn
		c.atoms, c.System = []atom{{"user", "text", c.System}}, ""
	}
	for from := 0; from < len(c.atoms); {
		to := from
		var results, rest []string
		side, text := c.atoms[from].side, ""
		for ; to < len(c.atoms) && c.atoms[to].side == side; to++ {
			a := c.atoms[to]
			switch a.kind {
			case "text":
				text += a.value
				continue
			case "result":
				results = append(results, side+" result "+a.value)
				continue
			}
			if text != "" {
				rest, text = append(rest, side+" text "+text), ""
			}
			rest = append(rest, side+" "+a.kind+" "+a.value)
		}
		if text != "" {
			rest = append(rest, side+" text "+text)
		}
		c.Turns = append(append(c.Turns, results...), rest...)
		from = to
	}
	return &c.asked
}

func (c *conversation) tool(name, description string, schema value) {
	c.Tools = append(c.Tools, name+" "+description+" "+schema.json())
}

func (c *conversation) sampling(limit, temperature value, stop []value) {
	c.Max, c.Temp = limit.int(), temperature.json()
	for _, s := range stop {
		c.Stop = append(c.Stop, s.text())
	}
}

func newConversation() *conversation { return &conversation{names: map[string]string{}} }

// askedChat reads a chat completions request.
func askedChat(body []byte) (*asked, error) {
	v, err := decode(body)
	c := newConversation()
	for _, m := range v.at("messages").list() {
		role := m.at("role").text()
		content := m.at("content")
		if role == "tool" {
			c.result(m.at("tool_call_id").text(), content.text())
			continue
		}
		c.text(role, content.text())
		for _, p := range content.list() {
			c.text(role, p.at("text").text())
			if url := p.at("image_url", "url").text(); url != "" {
				c.atoms = append(c.atoms, atom{role, "image", url})
			}
		}
		for _, t := range m.at("tool_calls").list() {
			c.call(t.at("id").text(), t.at("function", "name").text(), t.at("function", "arguments").text())
		}
	}
	for _, t := range v.at("tools").list() {
		c.tool(t.at("function", "name").text(), t.at("function", "description").text(), t.at("function", "parameters"))
	}
	c.Choice = v.at("tool_choice").text() + v.at("tool_choice", "function", "name").text()
	c.sampling(v.at("max_completion_tokens"), v.at("temperature"), v.at("stop").list())
	return c.done(), err
}

// askedResponse reads a request of the responses API.
func askedResponse(body []byte) (*asked, error) {
	v, err := decode(body)
	c := newConversation()
	c.System = v.at("instructions").text()
	c.text("user", v.at("input").text())
	for _, i := range v.at("input").list() {
		switch i.at("type").text() {
		case "function_call":
			c.call(i.at("call_id").text(), i.at("name").text(), i.at("arguments").text())
		case "function_call_output":
			c.result(i.at("call_id").text(), i.at("output").text())
		default:
			role := i.at("role").text()
			c.text(role, i.at("content").text())
			for _, p := range i.at("content").list() {
				c.text(role, p.at("text").text())
				if url := p.at("image_url").text(); url != "" {
					c.atoms = append(c.atoms, atom{role, "image", url})
				}
			}
		}
	}
	for _, t := range v.at("tools").list() {
		c.tool(t.at("name").text(), t.at("description").text(), t.at("parameters"))
	}
	c.Choice = v.at("tool_choice").text() + v.at("tool_choice", "name").text()
	c.sampling(v.at("max_output_tokens"), v.at("temperature"), nil)
	return c.done(), err
}

// askedMessages reads a messages request.
func askedMessages(body []byte) (*asked, error) {
	v, err := decode(body)
	c := newConversation()
	c.System = v.at("system").text()
	for _, b := range v.at("system").list() {
		c.System += b.at("text").text()
	}
	for _, m := range v.at("messages").list() {
		role := m.at("role").text()
		c.text(role, m.at("content").text())
		for _, b := range m.at("content").list() {
			c.block(role, b)
		}
	}
	for _, t := range v.at("tools").list() {
		c.tool(t.at("name").text(), t.at("description").text(), t.at("input_schema"))
	}
	c.Choice = map[string]string{"any": "required"}[v.at("tool_choice", "type").text()]
	if c.Choice == "" && v.at("tool_choice").is() {
		c.Choice = strings.Replace(v.at("tool_choice", "type").text(), "tool", "", 1) + v.at("tool_choice", "name").text()
	}
	c.sampling(v.at("max_tokens"), v.at("temperature"), v.at("stop_sequences").list())
	return c.done(), err
}

func (c *conversation) block(role string, b value) {
	switch b.at("type").text() {
	case "text":
		c.text(role, b.at("text").text())
	case "image":
		s := b.at("source")
		url := s.at("url").text()
		if s.at("type").text() == "base64" {
			url = "data:" + s.at("media_type").text() + ";base64," + s.at("data").text()
		}
		c.atoms = append(c.atoms, atom{role, "image", url})
	case "tool_use":
		c.call(b.at("id").text(), b.at("name").text(), b.at("input").json())
	case "tool_result":
		text := b.at("content").text()
		for _, p := range b.at("content").list() {
			text += p.at("text").text()
		}
		c.result(b.at("tool_use_id").text(), text)
	}
}

// askedGemini reads a generateContent request.
func askedGemini(body []byte) (*asked, error) {
	v, err := decode(body)
	c := newConversation()
	for _, p := range v.at("systemInstruction", "parts").list() {
		c.System += p.at("text").text()
	}
	for _, turn := range v.at("contents").list() {
		role := strings.Replace(turn.at("role").text(), "model", "assistant", 1)
		for _, p := range turn.at("parts").list() {
			c.text(role, p.at("text").text())
			if f := p.at("functionCall"); f.is() {
				c.call(f.at("name").text(), f.at("name").text(), f.at("args").json())
			}
			if r := p.at("functionResponse"); r.is() {
				c.names[""] = r.at("name").text()
				c.result("", r.at("response").json())
			}
			if d := p.at("inlineData"); d.is() {
				c.atoms = append(c.atoms, atom{role, "image", "data:" + d.at("mimeType").text() + ";base64," + d.at("data").text()})
			}
			if d := p.at("fileData"); d.is() {
				c.atoms = append(c.atoms, atom{role, "image", d.at("fileUri").text()})
			}
		}
	}
	for _, t := range v.at("tools").list() {
		for _, f := range t.at("functionDeclarations").list() {
			c.tool(f.at("name").text(), f.at("description").text(), f.at("parametersJsonSchema"))
		}
	}
	config := v.at("toolConfig", "functionCallingConfig")
	c.Choice = map[string]string{"ANY": "required", "AUTO": "auto"}[config.at("mode").text()]
	if name := config.at("allowedFunctionNames", 0).text(); name != "" {
		c.Choice = name
	}
	g := v.at("generationConfig")
	c.sampling(g.at("maxOutputTokens"), g.at("temperature"), g.at("stopSequences").list())
	return c.done(), err
}
