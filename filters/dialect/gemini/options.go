package gemini

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// generation reads generationConfig. What has no canonical place is kept under its
// pointer.
func (m *members) generation(r *llm.Request) {
	var mime, own, general []byte
	s := &r.Sampling
	for it := jsonx.Members(m.object(kGeneration)); it.Next(); {
		value := dialect.Value(&it)
		switch field(&it) {
		case "temperature":
			s.Temperature = number(value)
		case "topP":
			s.TopP = number(value)
		case "topK":
			s.TopK = number(value)
		case "seed":
			s.Seed = number(value)
		case "presencePenalty":
			s.PresencePenalty = number(value)
		case "frequencyPenalty":
			s.FrequencyPenalty = number(value)
		case "maxOutputTokens", "candidateCount": // in the facts
		case "stopSequences":
			for e := jsonx.Elements(value); e.Next(); {
				r.Stop = append(r.Stop, dialect.Text(&e))
			}
		case "responseMimeType":
			mime = dialect.Text(&it)
		case "responseSchema":
			own = value
		case "responseJsonSchema", "_responseJsonSchema":
			general = value
		case "responseLogprobs":
			r.Logprobs, _ = jsonx.Bool(value)
		case "logprobs":
			r.TopLogprobs = number(value)
		case "thinkingConfig":
			readThinking(r, value)
		default:
			keepOption(r, &it)
		}
	}
	m.format(r, mime, own, general)
}

// keepOption keeps an option; answers of text alone are what every API gives.
func keepOption(r *llm.Request, it *jsonx.Iter) {
	if it.Kind() == jsonx.Null {
		return
	}
	name := field(it)
	if name == "responseModalities" {
		only := true
		for e := jsonx.Elements(it.Value()); e.Next(); {
			only = only && jsonx.Equal(dialect.Text(&e), "TEXT")
		}
		if only {
			return
		}
	}
	r.Extra = append(r.Extra, llm.Field{Name: "generationConfig." + name, Value: it.Value()})
}

func (m *members) format(r *llm.Request, mime, own, general []byte) {
	switch {
	case general != nil:
		r.Format = &llm.Format{Schema: general, Strict: true}
	case own != nil && !jsonx.Equal(mime, "text/x.enum"):
		r.Format = &llm.Format{Schema: m.plain(own, "generationConfig.responseSchema"), Strict: true}
	case jsonx.Equal(mime, "application/json"):
		r.Format = &llm.Format{}
	case len(mime) > 0 && !jsonx.Equal(mime, "text/plain"):
		r.Extra = append(r.Extra, llm.Field{Name: "generationConfig.responseMimeType", Value: append(append([]byte{'"'}, mime...), '"')})
	}
}

// readThinking reads thinkingConfig. A budget of -1 leaves it to the model, as
// saying nothing does.
func readThinking(r *llm.Request, raw []byte) {
	var q llm.Reasoning
	for it := jsonx.Members(raw); it.Next(); {
		switch field(&it) {
		case "thinkingBudget":
			n := count(dialect.Value(&it))
			q.Budget, q.Off = max(n, 0), n == 0 && it.Kind() != jsonx.Null
		case "thinkingLevel":
			if word := dialect.Text(&it); !jsonx.Equal(word, "THINKING_LEVEL_UNSPECIFIED") {
				q.Effort = bytes.ToLower(word)
			}
		default: // includeThoughts as well: thoughts that come are told, asked for or not
			if on, ok := jsonx.Bool(it.Value()); it.Kind() != jsonx.Null && (!ok || on) {
				r.Extra = append(r.Extra, llm.Field{Name: "generationConfig.thinkingConfig." + field(&it), Value: it.Value()})
			}
		}
	}
	if q.Budget > 0 || q.Off || len(q.Effort) > 0 {
		r.Reasoning = &q
	}
}
