package gemini

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/dialect/schema"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// tools writes the offered tools, functions as one, and toolConfig.
func (e *encoder) tools(r *llm.Request) {
	if len(r.Tools) == 0 {
		return
	}
	functions := 0
	e.w.Array("tools")
	for i := range r.Tools {
		if r.Tools[i].Other != nil {
			e.serverTool(&r.Tools[i])
			continue
		}
		functions++
	}
	if functions > 0 {
		e.w.Open('{')
		e.w.Array("functionDeclarations")
		for i := range r.Tools {
			if r.Tools[i].Other == nil {
				e.declaration(&r.Tools[i])
			}
		}
		e.w.Close(']')
		e.w.Close('}')
	}
	e.w.Close(']')
	if functions > 0 {
		e.choice(&r.ToolChoice)
	}
}

func (e *encoder) serverTool(t *llm.Tool) {
	e.w.Open('{')
	switch t.Server {
	case llm.WebSearch:
		e.w.Literal("googleSearch", "{}")
		e.l.Default("tools/*", "the search is Google's, with its own settings")
	case llm.CodeExecution:
		e.w.Literal("codeExecution", "{}")
		e.l.Default("tools/*", "the code runs at Google, with its own settings")
	default:
		e.refuse("tools", "A tool of this type")
	}
	e.w.Close('}')
}

func (e *encoder) declaration(t *llm.Tool) {
	e.w.Open('{')
	e.w.Text("name", t.Name)
	if len(t.Description) > 0 {
		e.w.Text("description", t.Description)
	}
	if t.Strict {
		e.l.Drop("tools/*/function/strict", "calls are not checked against their schemas")
	}
	if t.Cache != nil {
		e.l.Drop("tools/*/cache_control", "caching is the provider's own")
	}
	if body := bytes.TrimSpace(t.Schema); len(body) > 0 {
		e.schema("parametersJsonSchema", "parameters", body, "tools/*/function/parameters")
	}
	e.w.Close('}')
}

// schema writes a schema by the first name to models that take it as it is, else
// lowered by the second. Those models take no object without properties.
func (e *encoder) schema(general, lowered string, body []byte, at string) {
	if e.model.schemas {
		e.w.Raw(general, body)
		return
	}
	start := len(e.w.B)
	e.w.Key(lowered)
	from := len(e.w.B)
	b, err := schema.OpenAPI.Lower(e.w.B, body, at, e.l)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.w.B = b
	kind, _ := jsonx.Lookup(b[from:], "type")
	if _, any := jsonx.Lookup(b[from:], "properties"); err == nil && !any && jsonx.Equal(jsonx.Interior(kind), "OBJECT") {
		e.w.B = b[:start]
	}
}

func (e *encoder) choice(c *llm.ToolChoice) {
	if c.Parallel != nil && !*c.Parallel {
		e.l.Drop("parallel_tool_calls", "calls cannot be kept to one")
	}
	mode := ""
	switch c.Mode {
	case llm.ToolsAuto:
		mode = "AUTO"
	case llm.ToolsNone:
		mode = "NONE"
	case llm.ToolsRequired, llm.ToolNamed:
		mode = "ANY"
	default:
		return
	}
	e.w.Object("toolConfig")
	e.w.Object("functionCallingConfig")
	e.w.Word("mode", mode)
	if c.Mode == llm.ToolNamed {
		e.w.Array("allowedFunctionNames")
		e.w.Element(c.Name)
		e.w.Close(']')
	}
	e.w.Close('}')
	e.w.Close('}')
}

// options writes generationConfig.
func (e *encoder) options(r *llm.Request) {
	start := len(e.w.B)
	e.w.Object("generationConfig")
	open := len(e.w.B)
	if n := r.MaxTokens; n > 0 {
		e.w.Int("maxOutputTokens", int64(n))
	} else if e.t.MaxTokens > 0 {
		e.w.Int("maxOutputTokens", int64(e.t.MaxTokens))
	}
	if r.Choices > 1 {
		e.w.Int("candidateCount", int64(r.Choices))
	}
	e.sampling(&r.Sampling)
	if len(r.Stop) > 0 {
		e.w.Array("stopSequences")
		for _, s := range r.Stop {
			e.w.Element(s)
		}
		e.w.Close(']')
	}
	e.format(r.Format)
	e.logprobs(r)
	e.thinking(r.Reasoning)
	if len(e.w.B) == open {
		e.w.B = e.w.B[:start]
		return
	}
	e.w.Close('}')
}

func (e *encoder) sampling(s *llm.Sampling) {
	e.w.Number("temperature", s.Temperature)
	e.w.Number("topP", s.TopP)
	e.w.Number("topK", s.TopK)
	if n, ok := jsonx.Int([]byte(s.Seed)); ok && n == int64(int32(n)) {
		e.w.Number("seed", s.Seed)
	} else if s.Seed != "" {
		e.l.Drop("seed", "it is larger than 32 bits")
	}
	e.w.Number("presencePenalty", s.PresencePenalty)
	e.w.Number("frequencyPenalty", s.FrequencyPenalty)
}

func (e *encoder) format(f *llm.Format) {
	if f == nil {
		return
	}
	e.w.Word("responseMimeType", "application/json")
	if f.Schema == nil {
		return
	}
	e.l.Nameless(f)
	e.schema("responseJsonSchema", "responseSchema", f.Schema, "response_format/json_schema/schema")
}

func (e *encoder) logprobs(r *llm.Request) {
	switch {
	case !r.Logprobs:
	case r.Stream:
		e.refuse("logprobs", "Log probabilities of a stream")
	default:
		e.w.Literal("responseLogprobs", "true")
		e.w.Number("logprobs", r.TopLogprobs)
	}
}

// efforts pairs words for effort with levels and with budgets in tokens, as the
// API's own compatibility layer does.
var efforts = []struct {
	word, level string
	budget      int
}{
	{"minimal", "minimal", 512}, {"low", "low", 1024}, {"medium", "medium", 8192},
	{"high", "high", 24576}, {"xhigh", "high", 24576}, {"max", "high", 24576},
}

// thinking writes thinkingConfig. Thoughts are shown where thinking was asked for.
func (e *encoder) thinking(q *llm.Reasoning) {
	if q == nil {
		return
	}
	if !e.model.thinks {
		if !q.Off {
			e.l.Drop("reasoning_effort", "the model does not think")
		}
		return
	}
	e.w.Object("thinkingConfig")
	switch {
	case e.model.levels:
		e.w.Word("thinkingLevel", e.level(q))
	case q.Off:
		e.w.Int("thinkingBudget", int64(e.model.least))
	default:
		e.w.Int("thinkingBudget", int64(min(max(budgetOf(q), e.model.least, 512), e.model.most)))
	}
	if q.Off && e.model.least > 0 {
		e.l.Default("reasoning_effort", "the model cannot but think")
	}
	if !q.Off {
		e.w.Literal("includeThoughts", "true")
	}
	e.w.Close('}')
}

func budgetOf(q *llm.Reasoning) int {
	if q.Budget > 0 {
		return q.Budget
	}
	for _, x := range efforts {
		if jsonx.Equal(q.Effort, x.word) {
			return x.budget
		}
	}
	return efforts[3].budget
}

// level is the level for an effort, or the largest that a budget pays for.
func (e *encoder) level(q *llm.Reasoning) string {
	word := efforts[0].level
	for _, x := range efforts {
		if len(q.Effort) > 0 && jsonx.Equal(q.Effort, x.word) || len(q.Effort) == 0 && q.Budget >= x.budget {
			word = x.level
		}
	}
	switch {
	case q.Off && e.model.least == 0:
		return "minimal"
	case q.Off, word == "minimal" && e.model.least > 0:
		return "low"
	case word == "medium" && strings.Contains(e.t.Model, "gemini-3-pro"):
		e.l.Default("reasoning_effort", "the model knows low and high")
		return "high"
	}
	return word
}

// remarks writes what is no option of the generation, and notes what has no place.
func (e *encoder) remarks(r *llm.Request) {
	if r.Metadata != nil {
		if e.t.Flavour == vertex && labels(r.Metadata) {
			e.w.Raw("labels", r.Metadata)
		} else {
			e.l.Drop("metadata", "the API takes none, or not these")
		}
	}
	switch tier := string(r.ServiceTier); {
	case tier == "" || tier == "auto":
	case e.t.Flavour != vertex && (tier == "flex" || tier == "priority"):
		e.w.Word("serviceTier", tier)
	default:
		e.l.Drop("service_tier", "the API has no such tier")
	}
	if r.User != "" {
		e.l.Drop("user", "users have no names here")
	}
	if r.LogitBias != nil {
		e.l.Drop("logit_bias", "the API has none")
	}
	if len(r.Verbosity) > 0 {
		e.l.Drop("verbosity", "the API has none")
	}
}

// labels reports whether metadata can be labels: short words in lower case
// (Google Cloud, requirements for labels).
func labels(raw []byte) bool {
	n := 0
	for it := jsonx.Members(raw); it.Next(); n++ {
		key, value := it.Key(), jsonx.Interior(it.Value())
		if n == 64 || value == nil || len(key) == 0 || !isLabel(key) || !isLabel(value) || key[0] < 'a' {
			return false
		}
	}
	return true
}

func isLabel(word []byte) bool {
	for _, c := range word {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return len(word) <= 63
}

// appendIndex appends a number in decimal.
func appendIndex(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }
