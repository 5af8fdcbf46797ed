package bedrock

import (
	"math"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// invokeFlavour is the flavour of targets that are asked by InvokeModel.
const invokeFlavour = "invoke"

// Invoke returns the API of InvokeModel and InvokeModelWithResponseStream. What a
// body says is its model family's: claude is the API that Claude's bodies are of,
// of which it is asked for the flavour "bedrock", chat that of the models whose
// bodies are chat completions.
func Invoke(claude, chat *dialect.API) *dialect.API {
	return &dialect.API{Name: "invoke", Operation: llm.Chat, Client: &invokeClient{claude: claude.Client},
		Provider: &invokeProvider{claude: claude.Provider, chat: chat.Provider}, Same: &invokeSame{}, Alike: alike, Pause: aws.Pause}
}

// claudeForm is the form of a body that is Claude's.
const claudeForm = 1

// alike reports whether a target takes the body: Claude's are for Claude, and for a
// model whose name does not tell. What others are they do not say.
func alike(f *llm.Facts, t *dialect.Target) bool {
	name := aws.Family(t.Model)
	return f.Form != claudeForm || name == "" || strings.HasPrefix(name, claudes)
}

// actions are the calls' names in paths, whole and streamed.
const (
	whole    = "invoke"
	streamed = "invoke-with-response-stream"
)

// invokeClient serves bodies of Claude to any target, and all others to targets of
// this dialect alone, whatever family's, whose bytes they keep.
type invokeClient struct {
	caller
	claude dialect.Client
}

// Recognise knows both calls.
func (*invokeClient) Recognise(l *dialect.Line) (dialect.Call, bool) {
	model, action, ok := aws.Action(l.Path)
	call := dialect.Call{Operation: llm.Chat, Model: model, Stream: action == streamed}
	return call, ok && l.Method == "POST" && (call.Stream || action == whole)
}

// Inspected lists the members of Claude's bodies that must not occur twice.
func (c *invokeClient) Inspected() *jsonx.Keys { return c.claude.Inspected() }

// ofClaude reports whether a body is Claude's: it must name its version.
func ofClaude(doc *jsonx.Document) bool {
	_, ok := jsonx.Lookup(doc.Body(), "anthropic_version")
	return ok
}

// limits are where the families' bodies bound the output.
var limitPaths = [][]string{{"max_tokens"}, {"max_gen_len"}, {"textGenerationConfig", "maxTokenCount"}, {"inferenceConfig", "maxTokens"},
	{"inferenceConfig", "max_new_tokens"}, {"max_tokens_to_sample"}, {"max_completion_tokens"}}

// Facts reads what deciding needs.
func (c *invokeClient) Facts(call dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	if ofClaude(doc) {
		f, err := c.claude.Facts(call, doc)
		f.Form = claudeForm
		return f, err
	}
	f := llm.Facts{Operation: call.Operation, Model: call.Model, Stream: call.Stream, Choices: 1, WantsUsage: true, TextBytes: len(doc.Body())}
	for _, path := range limitPaths {
		raw, _ := jsonx.Lookup(doc.Body(), path...)
		if n, ok := jsonx.Int(raw); ok {
			f.MaxTokens = int(min(max(n, 0), math.MaxInt32))
		}
	}
	return f, nil
}

// Decode reads the whole request.
func (c *invokeClient) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	if !ofClaude(doc) {
		return nil, dialect.Unsupported("body", "A body of InvokeModel that is not Claude's (with anthropic_version) cannot be carried to another API.")
	}
	return c.claude.Decode(f, doc)
}

// AppendAnswer writes a whole answer as Claude gives it.
func (c *invokeClient) AppendAnswer(dst []byte, f *llm.Facts, model string, a *llm.Answer, l *dialect.Ledger) []byte {
	return c.claude.AppendAnswer(dst, f, model, a, l)
}

// NewEncoder writes a streamed answer as Claude's chunks.
func (c *invokeClient) NewEncoder(f *llm.Facts, model string) dialect.Encoder {
	return aws.NewEncoder(c.claude.NewEncoder(f, model))
}

// invokeProvider asks by InvokeModel.
type invokeProvider struct {
	runtime
	claude, chat dialect.Provider
}

// Path names the model and whether the answer is streamed.
func (*invokeProvider) Path(f *llm.Facts, t *dialect.Target) string {
	if f.Stream {
		return aws.ModelPath(t.BasePath, t.Model, streamed)
	}
	return aws.ModelPath(t.BasePath, t.Model, whole)
}

// Encode writes the body of the model's family.
func (p *invokeProvider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	f, err := p.family(t)
	if err != nil {
		return nil, err
	}
	return f.encode(dst, r, t, l)
}

// Decode reads a whole answer.
func (p *invokeProvider) Decode(f *llm.Facts, t *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	fam, err := p.family(t)
	if err != nil {
		return nil, err
	}
	a, err := fam.decode(f, t, body)
	if err == nil && !a.Usage.Known {
		a.Usage = aws.Metrics(body)
	}
	return a, err
}

// NewDecoder reads a streamed answer.
func (p *invokeProvider) NewDecoder(f *llm.Facts, t *dialect.Target, lim dialect.Limits) dialect.Decoder {
	fam, err := p.family(t)
	if err != nil {
		return &chunkDecoder{chunks: aws.NewChunks(lim), read: func(d *chunkDecoder, _ []byte, emit func(*llm.Event)) { d.fail(err, emit) }}
	}
	return fam.stream(f, t, lim)
}

// invokeSame keeps bodies and answers as they are, whatever family's they are, and
// counts what they report.
type invokeSame struct{}

// Request changes nothing: the model is in the path.
func (*invokeSame) Request(*jsonx.Edits, *llm.Facts, *jsonx.Document, *dialect.Patch) {}

// Answer reads the usage of any family.
func (*invokeSame) Answer(_ *jsonx.Edits, _ *llm.Facts, body []byte, _ *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	if err := doc.Scan(body, nil, jsonx.Limits{}); err != nil {
		return llm.Usage{}, llm.NotFinished, dialect.Malformed(err.Error())
	}
	var c counts
	c.read(body)
	return c.usage(), llm.FinishOther, nil
}

// counts are what a body or the events of a stream report; later ones replace
// earlier ones.
type counts struct{ u, billed llm.Usage }

// usage is what the model's own API counted, else what Bedrock did.
func (c *counts) usage() llm.Usage {
	if c.billed.Known && (!c.u.Known || c.u.Output == 0) {
		return c.billed
	}
	return c.u
}

// read finds the counts of any family in an answer or an event.
func (c *counts) read(raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "usage", "message", "metadata":
			c.read(it.Value())
		case "amazon-bedrock-invocationMetrics":
			var bedrock counts
			bedrock.read(it.Value())
			c.billed = bedrock.u
		case "results":
			for el := jsonx.Elements(it.Value()); el.Next(); {
				c.read(el.Value())
			}
		case "input_tokens", "inputTokens", "prompt_tokens", "inputTextTokenCount", "prompt_token_count", "inputTokenCount":
			c.set(&c.u.Input, it.Value())
		case "output_tokens", "outputTokens", "completion_tokens", "tokenCount", "totalOutputTextTokenCount", "generation_token_count", "outputTokenCount":
			c.set(&c.u.Output, it.Value())
		case "cache_read_input_tokens", "cacheReadInputTokens", "cacheReadInputTokenCount":
			c.set(&c.u.CacheRead, it.Value())
		case "cache_creation_input_tokens", "cacheWriteInputTokens", "cacheWriteInputTokenCount":
			c.set(&c.u.CacheWrite, it.Value())
		}
	}
}

func (c *counts) set(to *int64, raw []byte) {
	if n, ok := jsonx.Int(raw); ok {
		*to, c.u.Known = dialect.Tokens(n), true
	}
}

// NewTap watches a streamed answer.
func (*invokeSame) NewTap(_ *llm.Facts, lim dialect.Limits, _ *dialect.Patch) dialect.Tap {
	t := &invokeTap{chunks: aws.NewChunks(lim)}
	t.watch = watch{read: t.read, fail: t.d.fail, stop: t.stop, frames: t.chunks.Frames()}
	return &t.watch
}

// invokeTap watches the chunks of any family: text is what counts as content, and
// the stream is over when its bytes are.
type invokeTap struct {
	chunks *aws.Chunks
	watch  watch
	d      machine
	counts counts
	usage  llm.Usage
}

// saidTexts are the members that hold text in some family's events.
var saidTexts = [][]byte{[]byte(`"text":"`), []byte(`"partial_json":"`), []byte(`"thinking":"`), []byte(`"outputText":"`),
	[]byte(`"generation":"`), []byte(`"input":"`), []byte(`"content":"`), []byte(`"arguments":"`)}

func (t *invokeTap) read(m *eventstream.Message, emit func(*llm.Event)) bool {
	data, ok := t.chunks.Open(m)
	if !ok {
		t.d.fail(t.chunks.Err(), emit)
		return false
	}
	t.d.begin(emit)
	t.counts.read(data)
	pieces := t.watch.seen.Tokens()
	t.watch.count(data, saidTexts)
	if !t.watch.committed && t.watch.seen.Tokens() > pieces {
		t.d.piece(llm.Event{Part: llm.TextPart, Text: llm.Escaped(".")}, 0, emit)
	}
	return true
}

func (t *invokeTap) stop(emit func(*llm.Event)) {
	if !t.d.started {
		t.d.stop(emit)
		return
	}
	t.d.done(llm.FinishOther, nil, emit)
	if t.usage = t.counts.usage(); t.usage.Known {
		t.d.send(llm.Event{Kind: llm.UsageEvent, Usage: &t.usage}, emit)
	}
	t.d.stop(emit)
}
