package bedrock

import (
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// continues is a family of models that continue a text under InvokeModel. It
// implements core.Chat.
type continues struct {
	spec *strict.Spec
	// Where the text stands, the parameters, and in them the bound of the output.
	text, within, limit, stop string
	open, end                 string // around the last turn of the user within the text
	ends                      [3]string
	// The answer, and an event of its stream; a reason of "" says that it goes on.
	whole func(text, reason string, u core.Usage) object
	event func(text, reason string, u core.Usage) object
}

// Catalogue implements core.Chat.
func (*continues) Catalogue() []core.Model { return catalogue() }

// Check implements core.Chat.
func (c *continues) Check(_ *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
	return malformed(body, c.spec)
}

// Read implements core.Chat.
func (c *continues) Read(_ *core.Exchange, body *strict.Value, _ *core.Model) (core.Turn, *core.Fault) {
	text, within := body.Get(c.text).Str(), body
	if strings.TrimSpace(text) == "" {
		return nil, invalid("Malformed input request: expected minLength: 1, actual: 0, please reformat your input and try again.")
	}
	if c.within != "" {
		within = body.Get(c.within)
	}
	t := &continuation{family: c}
	p := &t.prompt
	p.Text, p.Messages = c.last(text), 1
	p.MaxTokens = within.Get(c.limit).Int(0)
	p.Input.Input = core.CountTokens(text) + 1
	for _, said := range body.Get("chat_history").List() {
		p.Input.Input += core.CountTokens(said.Get("message").Str())
	}
	for _, s := range within.Get(c.stop).List() {
		p.Stop = append(p.Stop, s.Str())
	}
	return t, nil
}

// last is the last turn of the user.
func (c *continues) last(text string) string {
	if c.open == "" {
		return text
	}
	_, turn, found := cutLast(text, c.open)
	if !found {
		return text
	}
	turn, _, _ = strings.Cut(turn, c.end)
	return strings.TrimSpace(turn)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// continuation is one request, understood.
type continuation struct {
	family *continues
	prompt core.Prompt
}

// Prompt implements core.Turn.
func (t *continuation) Prompt() *core.Prompt { return &t.prompt }

// reason is the family's word for why the model stopped.
func (t *continuation) reason(a *core.Answer) string {
	if len(a.Choices) == 0 {
		return t.family.ends[0]
	}
	switch a.Choices[0].Finish {
	case core.FinishLength:
		return t.family.ends[1]
	case core.FinishSequence:
		return t.family.ends[2]
	}
	return t.family.ends[0]
}

func said(a *core.Answer) []string {
	if len(a.Choices) == 0 {
		return nil
	}
	return a.Choices[0].Text
}

// Whole implements core.Turn.
func (t *continuation) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	return invoked(x, a.Usage, encode(t.family.whole(strings.Join(said(a), ""), t.reason(a), a.Usage)))
}

// Stream implements core.Turn.
func (t *continuation) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	var frames []core.Frame
	parts := core.Ragged(said(a), x.World.Rand("stream", x.RequestID), 6)
	if n := x.World.ChunksOf(&x.Scenario); n > 0 {
		parts = core.Even(said(a), n)
	}
	for _, part := range parts {
		frames = append(frames, core.Frame{Kind: core.Content, Data: encode(t.family.event(part, "", a.Usage))})
	}
	frames = append(frames, core.Frame{Kind: core.Closing, Data: encode(t.family.event("", t.reason(a), a.Usage))})
	return chunked(x, a.Usage, frames)
}

var llama = continues{
	spec: llamaSpec, text: "prompt", limit: "max_gen_len",
	open: "<|start_header_id|>user<|end_header_id|>", end: "<|eot_id|>", ends: [3]string{"stop", "length", "stop"},
	whole: func(text, reason string, u core.Usage) object {
		return object{"generation": text, "prompt_token_count": u.Input, "generation_token_count": u.Output, "stop_reason": reason}
	},
	event: func(text, reason string, u core.Usage) object {
		e := object{"generation": text, "prompt_token_count": nil, "generation_token_count": core.CountTokens(text), "stop_reason": nil}
		if reason != "" {
			e["stop_reason"], e["generation_token_count"] = reason, u.Output
		}
		return e
	},
}

var mistral = continues{
	spec: mistralSpec, text: "prompt", limit: "max_tokens", stop: "stop",
	open: "[INST]", end: "[/INST]", ends: [3]string{"stop", "length", "stop"},
	whole: func(text, reason string, _ core.Usage) object {
		return object{"outputs": []object{{"text": text, "stop_reason": reason}}}
	},
	event: func(text, reason string, _ core.Usage) object {
		out := object{"text": text, "stop_reason": nil}
		if reason != "" {
			out["stop_reason"] = reason
		}
		return object{"outputs": []object{out}}
	},
}

var titan = continues{
	spec: titanSpec, text: "inputText", within: "textGenerationConfig", limit: "maxTokenCount", stop: "stopSequences",
	open: "User: ", end: "\nBot:", ends: [3]string{"FINISH", "LENGTH", "STOP_CRITERIA_MET"},
	whole: func(text, reason string, u core.Usage) object {
		return object{"inputTextTokenCount": u.Input, "results": []object{{"tokenCount": u.Output, "outputText": text, "completionReason": reason}}}
	},
	event: func(text, reason string, u core.Usage) object {
		e := object{"outputText": text, "index": 0, "totalOutputTextTokenCount": nil, "completionReason": nil, "inputTextTokenCount": u.Input}
		if reason != "" {
			e["totalOutputTextTokenCount"], e["completionReason"] = u.Output, reason
		}
		return e
	},
}

var command = continues{
	spec: commandSpec, text: "message", limit: "max_tokens", stop: "stop_sequences", ends: [3]string{"COMPLETE", "MAX_TOKENS", "STOP_SEQUENCE"},
	whole: func(text, reason string, _ core.Usage) object {
		return object{"text": text, "finish_reason": reason, "response_id": "mock", "generation_id": "mock", "chat_history": []object{}}
	},
	event: func(text, reason string, _ core.Usage) object {
		if reason != "" {
			return object{"event_type": "stream-end", "is_finished": true, "finish_reason": reason}
		}
		return object{"event_type": "text-generation", "is_finished": false, "text": text}
	},
}
