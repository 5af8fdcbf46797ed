package grammar

import (
	"encoding/json"
	"strings"
)

// Gemini is the grammar of a streamed generateContent (API reference,
// GenerateContentResponse): every event is an answer of one model and one id; a
// candidate ends with one finish reason; parts hold one thing each; calls are whole;
// usage comes with the last event. An error is the last event.
func Gemini() Grammar { return &geminiGrammar{finished: map[int]bool{}} }

type geminiGrammar struct {
	id, model string
	finished  map[int]bool
	counted   bool
	failed    bool
}

type geminiChunk struct {
	Candidates []geminiCandidate `json:"candidates"`
	Usage      *struct {
		Prompt     int64 `json:"promptTokenCount"`
		Candidates int64 `json:"candidatesTokenCount"`
		Thoughts   int64 `json:"thoughtsTokenCount"`
		Total      int64 `json:"totalTokenCount"`
	} `json:"usageMetadata"`
	Model string `json:"modelVersion"`
	ID    string `json:"responseId"`
	Error *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
	} `json:"error"`
}

type geminiCandidate struct {
	Index   int `json:"index"`
	Content *struct {
		Role  string       `json:"role"`
		Parts []geminiPart `json:"parts"`
	} `json:"content"`
	Finish string `json:"finishReason"`
}

type geminiPart struct {
	Text      *string `json:"text"`
	Thought   bool    `json:"thought"`
	Signature []byte  `json:"thoughtSignature"`
	Call      *struct {
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
}

func (g *geminiGrammar) Event(name, data string) error {
	var p problems
	var c geminiChunk
	p.must(name == "", "an event has a name")
	p.must(!g.failed, "something follows an error")
	err := json.Unmarshal([]byte(data), &c)
	p.must(err == nil, "not an answer: %v", err)
	if c.Error != nil {
		g.failed = true
		p.must(c.Error.Code >= 400 && c.Error.Message != "" && c.Error.Status == strings.ToUpper(c.Error.Status), "an error without words")
		return p.err
	}
	p.must(c.ID != "" && c.Model != "", "modelVersion or responseId is missing")
	if g.id == "" {
		g.id, g.model = c.ID, c.Model
	}
	p.must(c.ID == g.id && c.Model == g.model, "an event of another answer")
	p.must(!g.counted, "something follows the usage")
	p.must(len(c.Candidates) > 0, "an event without candidates")
	for i := range c.Candidates {
		g.candidate(&p, &c.Candidates[i])
	}
	if u := c.Usage; u != nil {
		g.counted = true
		p.must(u.Total == u.Prompt+u.Candidates+u.Thoughts, "the counts do not add up")
	}
	return p.err
}

func (g *geminiGrammar) candidate(p *problems, c *geminiCandidate) {
	p.must(!g.finished[c.Index], "something follows the finish reason")
	g.finished[c.Index] = c.Finish != ""
	p.must(c.Content != nil && c.Content.Role == "model" && c.Content.Parts != nil, "a candidate without content")
	if p.err != nil {
		return
	}
	for _, part := range c.Content.Parts {
		p.must(part.Text == nil || part.Call == nil, "a part that is two things")
		p.must(part.Text != nil || part.Call != nil || part.Thought && len(part.Signature) > 0, "a part that is nothing")
		if part.Call != nil {
			p.must(part.Call.Name != "" && strings.HasPrefix(string(part.Call.Args), "{"), "a call without name or arguments")
		}
	}
}

func (g *geminiGrammar) End() error {
	var p problems
	ends := len(g.finished) > 0
	for _, f := range g.finished {
		ends = ends && f
	}
	p.must(g.failed || ends, "a candidate without finish reason")
	return p.err
}
