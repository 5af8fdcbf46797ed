package bedrock

import (
	"bytes"
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// textFamily are models that continue one text: the conversation is written into
// it with the marks that the model was trained on (source: the makers' guides in
// the Bedrock user guide, "Inference request parameters and response fields").
type textFamily struct {
	models string // prefix of their names
	marks  marks
	// The members of the body: the object that holds the parameters, if they have
	// one, the text, and the parameters; one without a name is not taken.
	within, prompt, limit, temperature, topP, topK, stop, seed string
	most                                                       int  // the largest limit that the model takes; 0: not known
	narrow                                                     bool // penalties from 0 to 1, and top_p from 0.01 to 0.99
	// Where the answer stands, whole and in an event.
	text, finish, input, output []string
	piece, stopped, streamed    []string
}

// marks are what stands around the turns.
type marks struct{ begin, system, endSystem, user, endUser, assistant, endAssistant, open string }

var (
	llama4   = headers("<|begin_of_text|>", "<|header_start|>", "<|header_end|>\n\n", "<|eot|>")
	llama3   = headers("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>")
	llama2   = marks{"<s>[INST] ", "<<SYS>>\n", "\n<</SYS>>\n\n", "", " [/INST]", " ", " </s><s>[INST] ", ""}
	mistral  = marks{"<s>[INST] ", "", "\n\n", "", " [/INST]", " ", "</s>[INST] ", ""}
	titan    = marks{"", "", "\n\n", "User: ", "\n", "Bot: ", "\n", "Bot:"}
	command  = marks{"", "", "\n\n", "User: ", "\n", "Chatbot: ", "\n", "Chatbot:"}
	deepseek = marks{"<｜begin▁of▁sentence｜>", "", "", "<｜User｜>", "", "<｜Assistant｜>", "<｜end▁of▁sentence｜>", "<｜Assistant｜><think>\n"}
)

// headers are marks that name each side.
func headers(begin, open, end, eot string) marks {
	return marks{begin, open + "system" + end, eot, open + "user" + end, eot, open + "assistant" + end, eot, open + "assistant" + end}
}

// textFamilies is searched in order.
var textFamilies = []textFamily{
	llama("meta.llama4", llama4, 0), llama("meta.llama2", llama2, 2048), llama("meta.llama", llama3, 2048),
	mistralText("mistral.mistral-7b", 8192), mistralText("mistral.mixtral-8x7b", 4096), mistralText("mistral.mistral-large-2402", 8192),
	mistralText("mistral.mistral-small-2402", 8192),
	titanText("amazon.titan-text-lite", 4096), titanText("amazon.titan-text-premier", 3072), titanText("amazon.titan-text", 8192),
	{models: "cohere.command-r", prompt: "message", limit: "max_tokens", temperature: "temperature", topP: "p", topK: "k", stop: "stop_sequences",
		seed: "seed", most: 4096, narrow: true, text: path("text"), finish: path("finish_reason"), piece: path("text"), stopped: path("finish_reason")},
	{models: "cohere.command", marks: command, prompt: "prompt", limit: "max_tokens", temperature: "temperature", topP: "p", topK: "k",
		stop: "stop_sequences", most: 4096, text: path("generations", "0", "text"), finish: path("generations", "0", "finish_reason"),
		piece: path("text"), stopped: path("finish_reason")},
	{models: "deepseek.r1", marks: deepseek, prompt: "prompt", limit: "max_tokens", temperature: "temperature", topP: "top_p", stop: "stop",
		text: path("choices", "0", "text"), finish: path("choices", "0", "stop_reason"),
		piece: path("choices", "0", "text"), stopped: path("choices", "0", "stop_reason")},
}

func path(names ...string) []string { return names }

func llama(models string, m marks, most int) textFamily {
	return textFamily{models: models, marks: m, most: most, prompt: "prompt", limit: "max_gen_len", temperature: "temperature", topP: "top_p",
		text: path("generation"), finish: path("stop_reason"), input: path("prompt_token_count"), output: path("generation_token_count"),
		piece: path("generation"), stopped: path("stop_reason"), streamed: path("generation_token_count")}
}

func titanText(models string, most int) textFamily {
	return textFamily{models: models, marks: titan, most: most, within: "textGenerationConfig", prompt: "inputText", limit: "maxTokenCount",
		temperature: "temperature", topP: "topP", stop: "stopSequences",
		text: path("results", "0", "outputText"), finish: path("results", "0", "completionReason"),
		input: path("inputTextTokenCount"), output: path("results", "0", "tokenCount"),
		piece: path("outputText"), stopped: path("completionReason"), streamed: path("totalOutputTextTokenCount")}
}

func mistralText(models string, most int) textFamily {
	return textFamily{models: models, marks: mistral, most: most, prompt: "prompt", limit: "max_tokens", temperature: "temperature", topP: "top_p",
		topK: "top_k", stop: "stop", text: path("outputs", "0", "text"), finish: path("outputs", "0", "stop_reason"),
		piece: path("outputs", "0", "text"), stopped: path("outputs", "0", "stop_reason")}
}

func (x *textFamily) encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := newEncoder(dst, r, t, l)
	if !x.narrow {
		e.penalties(&r.Sampling)
	}
	e.w.Begin('{')
	if len(r.Tools) > 0 {
		e.refuse("tools", "A tool")
	}
	e.noSchema(r)
	if x.marks == (marks{}) {
		x.history(e, r)
	} else {
		x.conversation(e, r)
	}
	x.parameters(e, r, t)
	e.w.Close('}')
	e.drop(r.Reasoning != nil, "reasoning_effort")
	e.drop(r.Metadata != nil, "metadata")
	e.drop(len(r.ServiceTier) > 0, "service_tier")
	return e.w.B, e.err
}

func (x *textFamily) parameters(e *encoder, r *llm.Request, t *dialect.Target) {
	if x.within != "" {
		e.w.Object(x.within)
	}
	limit := r.MaxTokens
	if limit == 0 {
		limit = t.MaxTokens
	}
	if x.most > 0 && limit > x.most {
		limit = x.most
		e.l.Default("max_tokens", "the model takes at most "+strconv.Itoa(limit))
	}
	if limit > 0 {
		e.w.Int(x.limit, int64(limit))
	}
	s := &r.Sampling
	e.number(x.temperature, "temperature", s.Temperature)
	if x.narrow {
		e.within(x.topP, "top_p", s.TopP, 0.01, 0.99)
		e.within("presence_penalty", "presence_penalty", s.PresencePenalty, 0, 1)
		e.within("frequency_penalty", "frequency_penalty", s.FrequencyPenalty, 0, 1)
	} else {
		e.w.Number(x.topP, s.TopP)
	}
	e.optional(x.topK, "top_k", s.TopK)
	e.optional(x.seed, "seed", s.Seed)
	switch {
	case len(r.Stop) == 0:
	case x.stop == "":
		e.drop(true, "stop")
	default:
		e.w.Array(x.stop)
		for _, s := range r.Stop {
			e.w.Element(s)
		}
		e.w.Close(']')
	}
	if x.within != "" {
		e.w.Close('}')
	}
}

// optional writes a number that not every family has a member for.
func (e *encoder) optional(name, field string, n llm.Number) {
	if name == "" {
		e.drop(n != "", field)
		return
	}
	e.w.Number(name, n)
}

// within writes a number, moved to the nearer of two bounds where it is beyond.
func (e *encoder) within(name, field string, n llm.Number, least, most float64) {
	if v, ok := jsonx.Float([]byte(n)); ok && (v < least || v > most) {
		n = llm.Number(strconv.FormatFloat(min(max(v, least), most), 'g', -1, 64))
		e.l.Default(field, "the model takes "+strconv.FormatFloat(least, 'g', -1, 64)+" to "+strconv.FormatFloat(most, 'g', -1, 64))
	}
	e.w.Number(name, n)
}

// noSchema refuses a schema for the answer: nothing would hold the model to it.
func (e *encoder) noSchema(r *llm.Request) {
	if r.Format != nil && r.Format.Schema != nil {
		e.refuse("response_format", "A JSON schema")
	}
}

// instructions writes what the system says, after a mark, unless there is nothing
// else to write: then that is the conversation. It reports whether there is any.
func (e *encoder) instructions(r *llm.Request, mark string) bool {
	found := !dialect.OnlyInstructions(r.Messages) && e.said(r.Messages, 0, dialect.IsInstruction, mark)
	if !e.wantsJSON(r) {
		return found
	}
	if found {
		mark = "\n"
	}
	e.mark(mark)
	e.mark(jsonInstruction)
	return true
}

// conversation writes the text. Neighbouring turns of a side are one.
func (x *textFamily) conversation(e *encoder, r *llm.Request) {
	m, list := &x.marks, r.Messages
	e.w.StartText(x.prompt)
	e.mark(m.begin)
	only := dialect.OnlyInstructions(list)
	if e.instructions(r, m.system) {
		e.mark(m.endSystem)
	}
	for i := 0; i < len(list); {
		if dialect.IsInstruction(list[i].Role) && !only {
			i++
			continue
		}
		assistant := list[i].Role == llm.Assistant
		side := func(r llm.Role) bool { return (only || !dialect.IsInstruction(r)) && (r == llm.Assistant) == assistant }
		end := i + 1
		for end < len(list) && (side(list[end].Role) || dialect.IsInstruction(list[end].Role)) {
			end++
		}
		before, after := m.user, m.endUser
		if assistant {
			before, after = m.assistant, m.endAssistant
		}
		e.mark(before)
		e.said(list[:end], i, side, "")
		e.mark(after)
		i = end
	}
	e.mark(m.open)
	e.w.EndText()
}

func (e *encoder) mark(text string) { e.w.B = jsonx.Escape(e.w.B, text) }

func all(llm.Role) bool { return true }

// said writes the texts of the messages of a side from one on, a line each, after a
// mark; it reports whether there are any.
func (e *encoder) said(list []llm.Message, from int, side func(llm.Role) bool, mark string) bool {
	found := false
	for i := from; i < len(list); i++ {
		if !side(list[i].Role) {
			continue
		}
		e.visit(i, &list[i], false)
		for p := range list[i].Parts {
			part := &list[i].Parts[p]
			if !e.plain(part) {
				continue
			}
			if found {
				e.mark("\n")
			} else {
				e.mark(mark)
			}
			found = true
			e.w.B = append(e.w.B, part.Text...)
		}
	}
	return found
}

// plain reports whether a part is text, and notes what of it has no place in one.
func (e *encoder) plain(p *llm.Part) bool {
	switch p.Kind {
	case llm.TextPart, llm.RefusalPart:
		if p.Cache != nil {
			e.l.Drop("messages/*/content/*/cache_control", "the model's body has no mark for it")
		}
		if len(p.Citations) > 0 {
			e.l.Drop("messages/*/content/*/annotations", "citations are not sent back")
		}
		return true
	case llm.ReasoningPart:
		e.l.Drop("messages/*/reasoning_content", "the model is not shown what it thought")
	default:
		e.refuse(e.param("content"), "Content that is not text")
	}
	return false
}

// history writes the conversation as Command R has it: the last turn of the user,
// what was said before, and the instructions.
func (x *textFamily) history(e *encoder, r *llm.Request) {
	list := r.Messages
	last := max(len(list)-1, 0)
	for last > 0 && dialect.IsInstruction(list[last].Role) {
		last--
	}
	if e.at = last; len(list) == 0 || list[last].Role == llm.Assistant {
		e.refuse(e.param("role"), "A conversation that does not end with the user")
		return
	}
	e.w.StartText(x.prompt)
	e.said(list[:last+1], last, all, "")
	e.w.EndText()
	e.w.Array("chat_history")
	for i := range list[:last] {
		if dialect.IsInstruction(list[i].Role) {
			continue
		}
		e.w.Open('{')
		if list[i].Role == llm.Assistant {
			e.w.Word("role", "CHATBOT")
		} else {
			e.w.Word("role", "USER")
		}
		e.w.StartText("message")
		e.said(list[:i+1], i, all, "")
		e.w.EndText()
		e.w.Close('}')
	}
	e.w.Close(']')
	start := len(e.w.B)
	e.w.StartText("preamble")
	if !e.instructions(r, "") {
		e.w.B = e.w.B[:start]
		return
	}
	e.w.EndText()
}

func (x *textFamily) decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	if err := jsonx.Valid(body, jsonx.Limits{}); err != nil {
		return nil, dialect.Malformed(err.Error())
	}
	raw, ok := jsonx.Lookup(body, x.text...)
	if !ok || jsonx.KindOf(raw) != jsonx.String {
		if kind := textAt(body, "__type"); kind != nil {
			return nil, aws.Classify(500, func(string) string { return "" }, body)
		}
		return nil, dialect.Malformed("no text")
	}
	c := llm.Choice{Finish: finishOf(textAt(body, x.finish...)), Parts: []llm.Part{{Text: llm.Escaped(jsonx.Interior(raw))}}}
	if c.Finish == llm.NotFinished && bytes.Contains(body, intervened) {
		c.Finish = llm.FinishFilter
	}
	a := &llm.Answer{Choices: []llm.Choice{c}}
	a.Usage = x.usage(body, x.output)
	return a, nil
}

// usage is what an answer or an event reports; both counts must be there.
func (x *textFamily) usage(raw []byte, output []string) (u llm.Usage) {
	if x.input == nil {
		return u
	}
	in, _ := jsonx.Lookup(raw, x.input...)
	out, _ := jsonx.Lookup(raw, output...)
	n, some := jsonx.Int(in)
	m, more := jsonx.Int(out)
	if some && more {
		u = llm.Usage{Input: dialect.Tokens(n), Output: dialect.Tokens(m), Known: true}
	}
	return u
}

func (x *textFamily) stream(_ *llm.Facts, _ *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return &chunkDecoder{chunks: aws.NewChunks(lim), read: x.event}
}

// event takes a piece of the text, and why it ended.
func (x *textFamily) event(d *chunkDecoder, data []byte, emit func(*llm.Event)) {
	if d.finished {
		return
	}
	d.piece(llm.Event{Part: llm.TextPart, Text: textAt(data, x.piece...)}, 0, emit)
	if finish := finishOf(textAt(data, x.stopped...)); finish != llm.NotFinished {
		d.done(finish, nil, emit)
		if d.usage = x.usage(data, x.streamed); d.usage.Known {
			d.send(llm.Event{Kind: llm.UsageEvent, Usage: &d.usage}, emit)
		}
	} else if u := x.usage(data, x.streamed); u.Known {
		d.metrics = u // a guardrail may end the stream here
	}
}
