package gemini

import (
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// object is a JSON object; its members are written in the order of their names.
type object map[string]any

// open reads the body of a method that makes no text.
func (d Dialect) open(x *core.Exchange, models []core.Model, spec *strict.Spec) (*strict.Value, *core.Model, *core.Fault) {
	return core.Open(x, d, models, func(_ *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
		return check(body, spec)
	})
}

func done(x *core.Exchange, v any, u *core.Usage, reports bool) core.Reply {
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: indented(v), Usage: u, Reports: reports}
}

// count answers countTokens, which bills nothing.
func (d Dialect) count(x *core.Exchange) core.Reply {
	spec := countSpec
	if vertex(x) {
		spec = vertexCountSpec
	}
	body, m, f := d.open(x, catalogue(), spec)
	if f != nil {
		return d.Refuse(x, *f)
	}
	if inner := body.Get("generateContentRequest"); inner != nil {
		if body.Has("contents") {
			return d.Refuse(x, *invalid("contents and generate_content_request are mutually exclusive."))
		}
		if got := inner.Get("model").Str(); got != "models/"+x.Model {
			return d.Refuse(x, *rule("model", "unexpected model name format: %q", got))
		}
		body = inner
	}
	r := reader{x: x, p: &core.Prompt{}}
	f = r.conversation(body)
	if f == nil {
		f = readTools(r.p, body, m)
	}
	if f != nil {
		return d.Refuse(x, *f)
	}
	n := r.p.Input.Input
	return done(x, object{"totalTokens": n, "promptTokensDetails": []modality{{"TEXT", n}}}, nil, false)
}

// embed answers embedContent.
func (d Dialect) embed(x *core.Exchange) core.Reply {
	body, m, f := d.open(x, embedders(), embedSpec)
	if f != nil {
		return d.Refuse(x, *f)
	}
	var u core.Usage
	vector, f := vectorOf(x, m, body, &u)
	if f != nil {
		return d.Refuse(x, *f)
	}
	return done(x, object{"embedding": object{"values": vector}}, &u, false)
}

// batchEmbed answers batchEmbedContents.
func (d Dialect) batchEmbed(x *core.Exchange) core.Reply {
	body, m, f := d.open(x, embedders(), batchSpec)
	if f != nil {
		return d.Refuse(x, *f)
	}
	list := body.Get("requests").List()
	if len(list) == 0 || len(list) > 100 {
		return d.Refuse(x, *invalid("* BatchEmbedContentsRequest.requests: at least one and at most 100 requests can be in one batch\n"))
	}
	var u core.Usage
	var out []object
	for i, in := range list {
		if got := in.Get("model").Str(); got != "models/"+x.Model {
			return d.Refuse(x, *invalid("* BatchEmbedContentsRequest.requests[%d].model: unexpected model name format\n", i))
		}
		vector, f := vectorOf(x, m, in, &u)
		if f != nil {
			return d.Refuse(x, *f)
		}
		out = append(out, object{"values": vector})
	}
	return done(x, object{"embeddings": out}, &u, false)
}

func vectorOf(x *core.Exchange, m *core.Model, in *strict.Value, u *core.Usage) ([]float32, *core.Fault) {
	var texts []string
	for _, p := range in.Get("content").Get("parts").List() {
		texts = append(texts, p.Get("text").Str())
	}
	text := strings.Join(texts, "\n")
	task := in.Get("taskType").Str()
	switch {
	case text == "":
		return nil, invalid("* EmbedContentRequest.content: contains an empty Part.")
	case in.Has("title") && task != "RETRIEVAL_DOCUMENT":
		return nil, invalid("* EmbedContentRequest.title: title can only be set when task_type is RETRIEVAL_DOCUMENT\n")
	}
	u.Input += core.CountTokens(text)
	return sized(x, m, text, in.Get("outputDimensionality"))
}

func sized(x *core.Exchange, m *core.Model, text string, want *strict.Value) ([]float32, *core.Fault) {
	size := max(m.Embedding, 64)
	if n := want.Int(size); n < 1 || n > size {
		return nil, invalid("* EmbedContentRequest.output_dimensionality: output_dimensionality must be between 1 and %d\n", size)
	}
	return x.World.Vector(text, want.Int(size)), nil
}

// predict answers predict of an embedding model on Vertex AI.
func (d Dialect) predict(x *core.Exchange) core.Reply {
	body, m, f := d.open(x, embedders(), predictSpec)
	if f != nil {
		return d.Refuse(x, *f)
	}
	list := body.Get("instances").List()
	if len(list) == 0 || len(list) > 250 {
		return d.Refuse(x, *invalid("%d instance(s) is given, but between 1 and 250 instance(s) are allowed per prediction request.", len(list)))
	}
	var u core.Usage
	var out []object
	letters := 0
	for _, in := range list {
		text := in.Get("content").Str()
		if text == "" {
			return d.Refuse(x, *invalid("The text content is empty."))
		}
		vector, f := sized(x, m, text, body.Get("parameters").Get("outputDimensionality"))
		if f != nil {
			return d.Refuse(x, *f)
		}
		n := core.CountTokens(text)
		u.Input += n
		letters += len([]rune(text))
		out = append(out, object{"embeddings": object{"statistics": object{"token_count": n, "truncated": false}, "values": vector}})
	}
	return done(x, object{"predictions": out, "metadata": object{"billableCharacterCount": letters}}, &u, true)
}

// entry is a model as the list has it.
func entry(m *core.Model) object {
	methods := []string{"generateContent", "countTokens"}
	if m.Embedding > 0 {
		methods = []string{"embedContent", "batchEmbedContents"}
	}
	version := m.Snapshot
	if version == "" {
		version = "001"
	}
	out := object{"name": "models/" + m.ID, "version": version, "displayName": m.Display, "supportedGenerationMethods": methods,
		"inputTokenLimit": m.Window, "outputTokenLimit": max(m.Output, 1)}
	if m.Reasons {
		out["thinking"] = true
	}
	return out
}

func allModels(x *core.Exchange) []core.Model {
	all := append(catalogue(), embedders()...)
	for _, name := range x.World.Models {
		if !strings.HasSuffix(name, "*") {
			all = append(all, core.Model{ID: name, Display: name, Window: 128_000})
		}
	}
	return all
}

// models answers GET /v1beta/models.
func (d Dialect) models(x *core.Exchange) core.Reply {
	if f := x.Fails(d); f != nil {
		return d.Refuse(x, *f)
	}
	var list []object
	for _, m := range allModels(x) {
		list = append(list, entry(&m))
	}
	return done(x, object{"models": list}, nil, false)
}

// model answers GET /v1beta/models/{model}.
func (d Dialect) model(x *core.Exchange) core.Reply {
	x.Model = core.LastSegment(x.Path)
	for _, m := range allModels(x) {
		if m.ID == x.Model {
			return done(x, entry(&m), nil, false)
		}
	}
	return d.Refuse(x, d.Fault(core.NoModel, x))
}
