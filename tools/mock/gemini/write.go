package gemini

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// response is an answer or an event; members in the order in which the API writes
// them.
type response struct {
	Candidates []candidate `json:"candidates,omitempty"`
	Feedback   *feedback   `json:"promptFeedback,omitempty"`
	Usage      *usage      `json:"usageMetadata,omitempty"`
	Model      string      `json:"modelVersion"`
	CreateTime string      `json:"createTime,omitempty"`
	ID         string      `json:"responseId"`
	Unknown    string      `json:"xMockUnknown,omitempty"`
}

type feedback struct {
	Reason string `json:"blockReason"`
}

type candidate struct {
	Content struct {
		Parts []part `json:"parts"`
		Role  string `json:"role"`
	} `json:"content"`
	Finish      string  `json:"finishReason,omitempty"`
	Index       *int    `json:"index,omitempty"` // Vertex AI leaves out that of the first
	AvgLogprobs float64 `json:"avgLogprobs,omitempty"`
}

type part struct {
	Text      *string `json:"text,omitempty"`
	Thought   bool    `json:"thought,omitempty"`
	Call      *call   `json:"functionCall,omitempty"`
	Signature string  `json:"thoughtSignature,omitempty"`
}

type call struct {
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
	ID   string          `json:"id,omitempty"`
}

type usage struct {
	Prompt     int        `json:"promptTokenCount"`
	Candidates int        `json:"candidatesTokenCount,omitempty"`
	Total      int        `json:"totalTokenCount"`
	Cached     int        `json:"cachedContentTokenCount,omitempty"`
	Traffic    string     `json:"trafficType,omitempty"`
	Details    []modality `json:"promptTokensDetails"`
	Said       []modality `json:"candidatesTokensDetails,omitempty"`
	Thoughts   int        `json:"thoughtsTokenCount,omitempty"`
}

type modality struct {
	Modality string `json:"modality"`
	Tokens   int    `json:"tokenCount"`
}

func usageOf(x *core.Exchange, u core.Usage) *usage {
	out := &usage{
		Prompt: u.Input, Candidates: u.Output - u.Reasoning, Total: u.Input + u.Output, Cached: u.CacheRead,
		Details: []modality{{"TEXT", u.Input}}, Thoughts: u.Reasoning,
	}
	if vertex(x) {
		out.Traffic, out.Said = "ON_DEMAND", []modality{{"TEXT", out.Candidates}}
	}
	return out
}

func candidateOf(x *core.Exchange, i int, parts []part, finish string) candidate {
	c := candidate{Finish: finish}
	c.Content.Role, c.Content.Parts = "model", parts
	if i > 0 || !vertex(x) {
		c.Index = &i
	}
	return c
}

func finishReason(c *core.Choice) string {
	switch c.Finish {
	case core.FinishLength:
		return "MAX_TOKENS"
	case core.FinishFiltered:
		return "SAFETY"
	case core.FinishRefused:
		return "PROHIBITED_CONTENT"
	}
	return "STOP"
}

// encode cannot fail: what it is given is made of strings and numbers.
func encode(v any) []byte {
	out, err := strict.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return out
}

// indented is JSON as the API writes whole answers.
func indented(v any) []byte {
	var out bytes.Buffer
	if err := json.Indent(&out, encode(v), "", "  "); err != nil {
		return []byte("{}")
	}
	return append(out.Bytes(), '\n')
}

func envelope(x *core.Exchange) response {
	out := response{Model: x.Model, ID: x.RequestID}
	if base, _ := core.SplitModel(x.Model); base != "" {
		out.Model = base
	}
	if vertex(x) {
		out.CreateTime = x.World.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	}
	if x.Scenario.Unknown {
		out.Unknown = "?"
	}
	return out
}

// Whole implements core.Turn.
func (t *turn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	h := header(x, jsonType)
	out := envelope(x)
	for i := range a.Choices {
		c := candidateOf(x, i, t.parts(x, &a.Choices[i]), finishReason(&a.Choices[i]))
		if vertex(x) {
			c.AvgLogprobs = -0.25
		}
		out.Candidates = append(out.Candidates, c)
	}
	if len(a.Choices) == 0 {
		out.Feedback = &feedback{"PROHIBITED_CONTENT"}
	}
	if !x.Scenario.NoUsage {
		out.Usage = usageOf(x, a.Usage)
	}
	return core.Reply{Status: 200, Header: h, Body: indented(out), Reports: !x.Scenario.NoUsage}
}

func (t *turn) parts(x *core.Exchange, c *core.Choice) []part {
	out := []part{}
	if text := strings.Join(c.Thinking, ""); text != "" {
		out = append(out, part{Text: &text, Thought: true})
	}
	if text := strings.Join(c.Text, ""); text != "" || len(c.Calls) == 0 {
		p := part{Text: &text}
		if t.signs && t.level3 && len(c.Calls) == 0 {
			p.Signature = signature(x.World, "")
		}
		out = append(out, p)
	}
	return append(out, t.calls(x, c)...)
}

func (t *turn) calls(x *core.Exchange, c *core.Choice) []part {
	var out []part
	for i, made := range c.Calls {
		p := part{Call: &call{Name: made.Name, Args: json.RawMessage(made.Args)}}
		if !json.Valid(p.Call.Args) { // cut by maxOutputTokens
			continue
		}
		if t.level3 {
			p.Call.ID = x.World.NextID("", "abcdefghijklmnopqrstuvwxyz0123456789", 8)
		}
		if t.signs && i == 0 {
			p.Signature = signature(x.World, made.Name)
		}
		out = append(out, p)
	}
	return out
}

// A signature is base64 of an identifier and of what shows that it was given for
// the call of a function, or for text when there is no name.
func signature(w *core.World, name string) string {
	id := w.NextID("", core.Base62, 16)
	return base64.StdEncoding.EncodeToString([]byte("mock" + id + seal(w, id, name)))
}

func seal(w *core.World, id, name string) string {
	return w.Rand("signature", id, name).String(core.Base62, 31)
}

// lost are words that the API takes for signatures that are not there.
var lost = []string{"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"}

func (r *reader) genuine(sign, name string) bool {
	if slices.Contains(lost, sign) {
		return true
	}
	raw, err := base64.StdEncoding.DecodeString(sign)
	rest, ours := strings.CutPrefix(string(raw), "mock")
	return err == nil && ours && len(rest) > 16 && rest[16:] == seal(r.x.World, rest[:16], name)
}

// streamer writes the events of one answer.
type streamer struct {
	t      *turn
	x      *core.Exchange
	usage  core.Usage // so far
	frames []core.Frame
}

// Stream implements core.Turn.
func (t *turn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	h := header(x, eventType)
	s := &streamer{t: t, x: x, usage: a.Usage}
	s.usage.Output, s.usage.Reasoning = 0, 0
	if !events(x) {
		h.Set("content-type", jsonType)
		s.frames = append(s.frames, core.Frame{Kind: core.Opening, Data: []byte("[")})
	}
	for range x.Scenario.Pings {
		out := envelope(x)
		out.Usage = usageOf(s.x, s.usage)
		s.add(core.Opening, &out)
	}
	for i := range a.Choices {
		s.choice(i, &a.Choices[i], a.Usage)
	}
	if len(a.Choices) == 0 {
		out := envelope(x)
		out.Feedback = &feedback{"PROHIBITED_CONTENT"}
		s.add(core.Closing, &out)
	}
	s.frames[len(s.frames)-1].Reports = !x.Scenario.NoUsage
	if !events(x) {
		s.frames = append(s.frames, core.Frame{Kind: core.Closing, Data: []byte("]")})
	}
	return core.Reply{Status: 200, Header: h, Frames: s.frames}
}

// choice writes the parts of a candidate. It ends with its last part, from Gemini 3
// on with an empty text, which carries the signature.
func (s *streamer) choice(i int, c *core.Choice, total core.Usage) {
	if i == 0 {
		s.usage.Reasoning, s.usage.Output = total.Reasoning, total.Reasoning
	}
	all := s.pieces(c)
	if s.t.level3 || len(all) == 0 {
		end := part{Text: new(string)}
		if s.t.signs && len(c.Calls) == 0 {
			end.Signature = signature(s.x.World, "")
		}
		all = append(all, end)
	}
	for n, p := range all {
		finish, kind := "", core.Content
		if n == len(all)-1 {
			finish, s.usage.Output = finishReason(c), total.Output
		}
		if p.Text != nil && !p.Thought {
			s.usage.Output = min(total.Output, s.usage.Output+core.CountTokens(*p.Text))
			if *p.Text == "" {
				kind = core.Closing
			}
		}
		s.part(i, kind, p, finish)
	}
}

// pieces are the parts of a candidate, its texts cut.
func (s *streamer) pieces(c *core.Choice) []part {
	r := s.x.World.Rand("stream", s.x.RequestID)
	var out []part
	for _, text := range core.Ragged(c.Thinking, r, 8) {
		out = append(out, part{Text: &text, Thought: true})
	}
	texts := core.Ragged(c.Text, r, 12)
	if n := s.x.World.ChunksOf(&s.x.Scenario); n > 0 {
		texts = core.Even(c.Text, n)
	}
	for _, text := range texts {
		out = append(out, part{Text: &text})
	}
	return append(out, s.t.calls(s.x, c)...)
}

func (s *streamer) part(i int, kind core.FrameKind, p part, finish string) {
	out := envelope(s.x)
	out.Candidates = []candidate{candidateOf(s.x, i, []part{p}, finish)}
	if !s.x.Scenario.NoUsage {
		out.Usage = usageOf(s.x, s.usage)
	}
	s.add(kind, &out)
}

func (s *streamer) add(kind core.FrameKind, v *response) {
	s.frames = append(s.frames, core.Frame{Kind: kind, Data: framed(s.x, v, len(s.frames) == 1)})
}

// framed is an event, or an item of the array.
func framed(x *core.Exchange, v any, first bool) []byte {
	switch {
	case events(x):
		return append(append([]byte("data: "), encode(v)...), "\r\n\r\n"...)
	case first:
		return bytes.TrimSuffix(indented(v), []byte("\n"))
	}
	return append([]byte(",\r\n"), bytes.TrimSuffix(indented(v), []byte("\n"))...)
}
