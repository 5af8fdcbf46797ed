package anthropic

import (
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// lacks notes what a request asks for and the API has no place for.
func (e *encoder) lacks(r *llm.Request) {
	for _, x := range [...]struct {
		there bool
		field string
	}{
		{r.Sampling.Seed != "", "seed"},
		{r.Sampling.PresencePenalty != "", "presence_penalty"},
		{r.Sampling.FrequencyPenalty != "", "frequency_penalty"},
		{r.Logprobs, "logprobs"},
		{r.TopLogprobs != "", "top_logprobs"},
		{r.LogitBias != nil, "logit_bias"},
		{len(r.Verbosity) > 0, "verbosity"},
		{r.Metadata != nil, "metadata"},
	} {
		if x.there {
			e.l.Drop(x.field, "the API has no such parameter")
		}
	}
	if f := r.Format; f != nil {
		e.formatLoss(f)
	}
}

func (e *encoder) formatLoss(f *llm.Format) {
	if f.Schema == nil {
		e.l.Default("response_format", "the API knows no JSON without a schema: an instruction asks for it")
		return
	}
	e.l.Nameless(f)
	if !f.Strict {
		e.l.Default("response_format/json_schema/strict", "schemas are always kept to")
	}
}

// serviceTier writes service_tier: of OpenAI's tiers the API has auto and default.
func (e *encoder) serviceTier(tier llm.Escaped) {
	switch string(tier) {
	case "":
	case "auto":
		e.w.Word("service_tier", "auto")
	case "default", "standard_only":
		e.w.Word("service_tier", "standard_only")
	default:
		e.l.Drop("service_tier", "the API has no such tier")
	}
}

// own reports whether a signature was made by this family of models.
func own(origin string) bool { return origin == "" || origin == dialectName }

// forgotten notes reasoning that is not sent: what another's model signed, or
// nobody did, this one cannot read.
func (e *encoder) forgotten() {
	e.l.Drop("messages/*/reasoning_content", "the model does not know reasoning that it has not signed")
}

// serverTool writes a tool that the provider runs itself, in its plainest form.
func (e *encoder) serverTool(t *llm.Tool) bool {
	kind, name := "web_search_20250305", "web_search"
	switch t.Server {
	case llm.WebSearch:
	case llm.CodeExecution:
		kind, name = "code_execution_20250825", "code_execution"
	default:
		return false
	}
	e.l.Default("tools/*", "the tool is Anthropic's, with its own settings")
	e.w.Open('{')
	e.w.Word("type", kind)
	e.w.Word("name", name)
	e.w.Close('}')
	return true
}

// serverKind is what kind of server tool a word names, by its beginning: versions
// follow it.
func serverKind(word llm.Escaped) llm.ServerTool {
	switch {
	case hasPrefix(word, "web_search_"):
		return llm.WebSearch
	case hasPrefix(word, "code_execution_"):
		return llm.CodeExecution
	}
	return llm.NoServerTool
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// readCitations reads the citations of a text block. What the vocabulary lacks
// stays in the raw form.
func readCitations(raw []byte) []llm.Citation {
	var list []llm.Citation
	for it := jsonx.Elements(raw); it.Next(); {
		list = append(list, readCitation(it.Value()))
	}
	return list
}

func readCitation(raw []byte) llm.Citation {
	c := llm.Citation{Other: raw}
	for it := jsonx.Members(raw); it.Next(); {
		switch {
		case it.KeyIs("url"):
			c.URL = llm.Escaped(jsonx.Interior(it.Value()))
		case it.KeyIs("title"), it.KeyIs("document_title") && c.Title == nil:
			c.Title = llm.Escaped(jsonx.Interior(it.Value()))
		case it.KeyIs("cited_text"):
			c.Cited = llm.Escaped(jsonx.Interior(it.Value()))
		}
	}
	return c
}
