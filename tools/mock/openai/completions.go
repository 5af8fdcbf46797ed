package openai

import (
	"encoding/json"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	s "github.com/posterngw/postern/tools/mock/strict"
)

// completionSpec is the body of POST /v1/completions (API reference "Create
// completion"; members of openai-go's CompletionNewParams). Prompts of token
// numbers and several prompts at once are not spoken here.
var completionSpec = s.Obj(s.Fields{
	"model":             s.Req(s.Str()),
	"prompt":            s.Req(s.List(s.Str()).Count(1, 1).Also(s.String)),
	"best_of":           s.Opt(s.IntIn(0, 20).OrNull()),
	"echo":              s.Opt(s.Flag().OrNull()),
	"frequency_penalty": s.Opt(s.Num(-2, 2).OrNull()),
	"logit_bias":        s.Opt(s.Any().OrNull()),
	"logprobs":          s.Opt(s.IntIn(0, 5).OrNull()),
	"max_tokens":        s.Opt(s.Int(0).OrNull()),
	"n":                 s.Opt(s.IntIn(1, 128).OrNull()),
	"presence_penalty":  s.Opt(s.Num(-2, 2).OrNull()),
	"seed":              s.Opt((&s.Spec{Kinds: s.Number, Integer: true}).OrNull()),
	"stop":              s.Opt(&s.Spec{Kinds: s.String | s.Array | s.Null, Items: s.Str(), MinItems: 1, MaxItems: 4}),
	"stream":            s.Opt(s.Flag().OrNull()),
	"stream_options":    s.Opt(s.Obj(s.Fields{"include_usage": s.Opt(s.Flag()), "include_obfuscation": s.Opt(s.Flag())}).OrNull()),
	"suffix":            s.Opt(s.Str().OrNull()),
	"temperature":       s.Opt(s.Num(0, 2).OrNull()),
	"top_p":             s.Opt(s.Num(0, 1).OrNull()),
	"user":              s.Opt(s.Str()),
})

// legacy implements core.Chat for POST /v1/completions.
type legacy struct{}

// Catalogue implements core.Chat.
func (legacy) Catalogue() []core.Model {
	return append(catalogue(), core.Model{ID: "gpt-3.5-turbo-instruct", Created: 1692901427, Window: 4096})
}

// Check implements core.Chat. Models that only chat are refused.
func (legacy) Check(_ *core.Exchange, body *s.Value, m *core.Model) *core.Fault {
	if m != nil && !strings.Contains(m.ID, "instruct") && !strings.HasPrefix(m.ID, "mock") {
		return &core.Fault{Status: 404, Type: invalidRequest, Param: "model", Message: "This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?"}
	}
	return check(body, completionSpec)
}

// legacyTurn is one completion, understood.
type legacyTurn struct {
	prompt core.Prompt
	usage  bool
	echo   string // what is repeated before the text
}

// Prompt implements core.Turn.
func (t *legacyTurn) Prompt() *core.Prompt { return &t.prompt }

// defaultCompletion is the bound on tokens where none is given.
const defaultCompletion = 16

// Read implements core.Chat.
func (legacy) Read(x *core.Exchange, body *s.Value, _ *core.Model) (core.Turn, *core.Fault) {
	x.Stream = body.Get("stream").True()
	if body.Has("stream_options") && !x.Stream {
		return nil, invalid("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	t := &legacyTurn{usage: body.Get("stream_options").Get("include_usage").True()}
	p := &t.prompt
	p.Text = strings.Join(stops(body.Get("prompt")), "")
	if body.Get("echo").True() {
		t.echo = p.Text
	}
	p.MaxTokens = body.Get("max_tokens").Int(defaultCompletion)
	if p.MaxTokens == 0 {
		p.MaxTokens = -1
	}
	p.N, p.Stop = body.Get("n").Int(1), stops(body.Get("stop"))
	p.Vary = text(body.Get("seed")) + text(body.Get("temperature"))
	p.Input.Input = core.CountTokens(p.Text)
	return t, nil
}

// legacyAnswer is a whole answer, or one event of a stream.
type legacyAnswer struct {
	ID      string           `json:"id"`
	Object  string           `json:"object"`
	Created int64            `json:"created"`
	Model   string           `json:"model"`
	Choices []legacyChoice   `json:"choices"`
	Usage   *json.RawMessage `json:"usage,omitempty"`
}

type legacyChoice struct {
	Text     string    `json:"text"`
	Index    int       `json:"index"`
	Logprobs *struct{} `json:"logprobs"`
	Finish   *string   `json:"finish_reason"`
}

func (t *legacyTurn) head(x *core.Exchange) legacyAnswer {
	return legacyAnswer{
		ID: x.World.NextID("cmpl-", core.Base62, 29), Object: "text_completion", Created: x.World.Now().Unix(),
		Model: t.prompt.Model.Snapshot, Choices: []legacyChoice{},
	}
}

func legacyFinish(c *core.Choice) *string {
	reason := "stop"
	switch c.Finish {
	case core.FinishLength:
		reason = "length"
	case core.FinishFiltered:
		reason = "content_filter"
	}
	return &reason
}

func legacyUsage(u core.Usage) *json.RawMessage {
	raw := json.RawMessage(encode(map[string]int{"prompt_tokens": u.Input, "completion_tokens": u.Output, "total_tokens": u.Input + u.Output}))
	return &raw
}

// Whole implements core.Turn.
func (t *legacyTurn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	out := t.head(x)
	for i := range a.Choices {
		c := &a.Choices[i]
		out.Choices = append(out.Choices, legacyChoice{Text: t.echo + strings.Join(c.Text, ""), Index: i, Finish: legacyFinish(c)})
	}
	if !x.Scenario.NoUsage {
		out.Usage = legacyUsage(a.Usage)
	}
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: indented(out), Reports: out.Usage != nil}
}

// Stream implements core.Turn.
func (t *legacyTurn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	var frames []core.Frame
	head := t.head(x)
	say := func(kind core.FrameKind, c legacyChoice) {
		ev := head
		ev.Choices = []legacyChoice{c}
		if t.usage {
			ev.Usage = &null
		}
		frames = append(frames, event(kind, ev))
	}
	for i := range a.Choices {
		c := &a.Choices[i]
		if t.echo != "" {
			say(core.Content, legacyChoice{Text: t.echo, Index: i})
		}
		for _, piece := range core.Even(c.Text, x.World.ChunksOf(&x.Scenario)) {
			say(core.Content, legacyChoice{Text: piece, Index: i})
		}
		say(core.Closing, legacyChoice{Index: i, Finish: legacyFinish(c)})
	}
	if t.usage && !x.Scenario.NoUsage {
		ev := head
		ev.Usage = legacyUsage(a.Usage)
		f := event(core.Closing, ev)
		f.Reports = true
		frames = append(frames, f)
	}
	frames = append(frames, core.Frame{Kind: core.Closing, Data: []byte("data: [DONE]\n\n")})
	return core.Reply{Status: 200, Header: streamHeader(x), Frames: frames}
}
