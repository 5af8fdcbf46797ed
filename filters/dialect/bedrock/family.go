package bedrock

import (
	"bytes"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// family is what the bodies of some models are under InvokeModel.
type family interface {
	encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error)
	decode(f *llm.Facts, t *dialect.Target, body []byte) (*llm.Answer, *llm.Error)
	stream(f *llm.Facts, t *dialect.Target, lim dialect.Limits) dialect.Decoder
}

// claudes is how the names of Claude's models begin.
const claudes = "anthropic."

// family finds the family by the model's name.
func (p *invokeProvider) family(t *dialect.Target) (family, *llm.Error) {
	if t == nil {
		return &claudeFamily{p.claude}, nil
	}
	name := aws.Family(t.Model)
	switch {
	case strings.HasPrefix(name, claudes):
		return &claudeFamily{p.claude}, nil
	case strings.HasPrefix(name, "amazon.nova"):
		return novaFamily{}, nil
	}
	for i := range textFamilies {
		if strings.HasPrefix(name, textFamilies[i].models) {
			return &textFamilies[i], nil
		}
	}
	if name == "" || strings.HasPrefix(name, "amazon.") {
		return nil, dialect.Unsupported("model", "The model's name does not tell what bodies it takes: ask it by Converse.")
	}
	return &chatFamily{p.chat}, nil
}

// claudeFamily is Claude: another package's API.
type claudeFamily struct{ dialect.Provider }

// there is the target as that API knows it.
func there(t *dialect.Target) *dialect.Target {
	x := dialect.Target{Flavour: "bedrock"}
	if t != nil {
		x.Model, x.MaxTokens = t.Model, t.MaxTokens
	}
	return &x
}

func (c *claudeFamily) encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	return c.Encode(dst, r, there(t), l)
}

func (c *claudeFamily) decode(f *llm.Facts, t *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	return c.Decode(f, there(t), body)
}

func (c *claudeFamily) stream(f *llm.Facts, t *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return c.NewDecoder(f, there(t), lim)
}

// chatFamily are the models whose bodies are chat completions without the model's
// name: Mistral's since July 2024, gpt-oss, Qwen, DeepSeek and others.
type chatFamily struct{ dialect.Provider }

func (c *chatFamily) target(t *dialect.Target) *dialect.Target {
	return &dialect.Target{Model: t.Model, Flavour: "compatible", MaxTokens: t.MaxTokens}
}

func (c *chatFamily) encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	q := *r
	q.Stream = false // the path says it
	body, err := c.Encode(nil, &q, c.target(t), l)
	if err != nil {
		return nil, err
	}
	keys := jsonx.NewKeys("model")
	doc, bad := jsonx.Scan(body, keys, jsonx.Limits{})
	if bad != nil {
		return nil, dialect.Unsupported("body", "The request")
	}
	var e jsonx.Edits
	e.RemoveMember(&doc, 0)
	return e.Apply(dst, body), nil
}

// decode reads a chat completion; Mistral's says stop_reason.
func (c *chatFamily) decode(f *llm.Facts, t *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	a, err := c.Decode(f, c.target(t), body)
	if err == nil && len(a.Choices) > 0 && a.Choices[0].Finish == llm.NotFinished {
		a.Choices[0].Finish = finishOf(textAt(body, "choices", "0", "stop_reason"))
	}
	return a, err
}

func (c *chatFamily) stream(f *llm.Facts, t *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return aws.NewDecoder(c.NewDecoder(f, c.target(t), lim), lim)
}

// finishOf reads a family's word for why a model stopped; absent is NotFinished.
func finishOf(word llm.Escaped) llm.Finish {
	switch strings.ToLower(dialect.Plain(word, 40)) {
	case "":
		return llm.NotFinished
	case "stop", "complete", "finish", "finished", "stop_criteria_met", "stop_sequence", "end_turn", "eos_token":
		return llm.FinishStop
	case "length", "max_tokens":
		return llm.FinishLength
	case "content_filtered", "error_toxic":
		return llm.FinishFilter
	case "tool_calls":
		return llm.FinishTool
	}
	return llm.FinishOther
}

// intervened stands in an answer that a guardrail wrote.
var intervened = []byte(`"amazon-bedrock-guardrailAction":"INTERVENED"`)

// novaFamily is Nova: its bodies are those of Converse, but for a version, which the
// second Nova does not have, for top_k, and without documents, and each of its chunks
// holds one event of ConverseStream (source: the Nova user guides, "Using the Invoke
// API"). Where they put reasoningConfig they do not say alike: it is left out.
type novaFamily struct{}

func (novaFamily) encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := newEncoder(dst, r, t, l)
	e.native = true
	e.penalties(&r.Sampling)
	e.w.Begin('{')
	if !e.is("amazon.nova-2") {
		e.w.Word("schemaVersion", "messages-v1")
	}
	e.system(r)
	e.messages(r.Messages)
	e.inference(r, t)
	e.tools(r)
	e.w.Close('}')
	e.drop(r.Sampling.Seed != "", "seed")
	e.drop(r.Reasoning != nil, "reasoning_effort")
	e.drop(r.Metadata != nil, "metadata")
	e.drop(len(r.ServiceTier) > 0, "service_tier")
	e.noSchema(r)
	return e.w.B, e.err
}

func (novaFamily) decode(f *llm.Facts, t *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	return (&provider{}).Decode(f, t, body)
}

func (novaFamily) stream(_ *llm.Facts, t *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return &chunkDecoder{chunks: aws.NewChunks(lim), machine: machine{origin: originOf(t)},
		read: func(d *chunkDecoder, data []byte, emit func(*llm.Event)) {
			for it := jsonx.Members(data); it.Next(); {
				d.event(it.Key(), it.Value(), emit)
			}
		}}
}

// chunkDecoder reads chunks whose events the machine understands.
type chunkDecoder struct {
	chunks *aws.Chunks
	read   func(d *chunkDecoder, data []byte, emit func(*llm.Event))
	machine
	metrics llm.Usage
	guarded bool
}

func (d *chunkDecoder) Write(chunk []byte, emit func(*llm.Event)) {
	d.chunks.Feed(chunk)
	for data, ok := d.chunks.Next(); ok; data, ok = d.chunks.Next() {
		if d.ended {
			continue
		}
		if m := aws.Metrics(data); m.Known {
			d.metrics = m
		}
		d.guarded = d.guarded || bytes.Contains(data, intervened)
		d.begin(emit)
		d.read(d, data, emit)
	}
	if err := d.chunks.Err(); err != nil {
		d.fail(err, emit)
	}
}

// Close ends the stream. What the model did not count Bedrock did, and a guardrail
// does not say why it stopped.
func (d *chunkDecoder) Close(emit func(*llm.Event)) {
	if err := d.chunks.Close(); err != nil {
		d.fail(err, emit)
	}
	if d.ended {
		return
	}
	if d.guarded && d.started && !d.finished {
		d.done(llm.FinishFilter, nil, emit)
	}
	if !d.usage.Known && d.metrics.Known && d.finished {
		d.usage = d.metrics
		d.send(llm.Event{Kind: llm.UsageEvent, Usage: &d.usage}, emit)
	}
	d.stop(emit)
}

// Overflowed is 0: a stream with a message that is too long cannot be read on.
func (d *chunkDecoder) Overflowed() int { return 0 }
