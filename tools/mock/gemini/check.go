package gemini

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// check holds a body against a field table. Before that it gives members the
// spelling of the table and takes out those that are null, as the API's reader of
// JSON (that of protocol buffers) understands them.
func check(body *strict.Value, spec *strict.Spec) *core.Fault {
	normalise(body, spec)
	for _, p := range strict.Check(body, spec) {
		return violation(&p)
	}
	return brokenBytes(body, spec, nil)
}

func normalise(v *strict.Value, spec *strict.Spec) {
	if spec == nil {
		return
	}
	for _, item := range v.Items {
		normalise(item, spec.Items)
	}
	if spec.Fields == nil {
		return
	}
	kept := v.Fields[:0]
	for _, f := range v.Fields {
		if name := camel(f.Name); spec.Fields[f.Name].Spec == nil && spec.Fields[name].Spec != nil {
			f.Name = name
		}
		if f.Value.Kind != strict.Null {
			kept = append(kept, f)
			normalise(f.Value, spec.Fields[f.Name].Spec)
		}
	}
	v.Fields = kept
	if spec == schemaSpec {
		for _, f := range v.Get("properties").Members() {
			normalise(f.Value, schemaSpec)
		}
	}
}

// camel turns inline_data into inlineData.
func camel(name string) string {
	parts := strings.Split(name, "_")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// snake turns inlineData into inline_data, as error texts spell members.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// violation words what a field table does not take.
func violation(p *strict.Problem) *core.Fault {
	at := snake(p.Path.Bracketed())
	value := ""
	if p.Value != nil {
		value = string(encode(p.Value))
	}
	var text string
	switch p.Reason {
	case strict.Unknown:
		parent := snake(p.Path[:len(p.Path)-1].Bracketed())
		text = fmt.Sprintf("Invalid JSON payload received. Unknown name \"%s\"", p.Path.Last())
		if parent != "" {
			text += " at '" + parent + "'"
		}
		text += ": Cannot find field."
		at = parent
	case strict.NotInEnum:
		text = fmt.Sprintf("Invalid value at '%s' (type.googleapis.com/google.ai.generativelanguage.v1beta.Enum), %s", at, value)
	default:
		text = fmt.Sprintf("Invalid value at '%s' (%s), %s", at, protoType(p.Spec), value)
	}
	f := invalid("%s", text)
	f.Param = at // the field of a BadRequest
	return f
}

func protoType(spec *strict.Spec) string {
	switch {
	case spec.Kinds&strict.String != 0:
		return "TYPE_STRING"
	case spec.Integer:
		return "TYPE_INT32"
	case spec.Kinds&strict.Number != 0:
		return "TYPE_FLOAT"
	case spec.Kinds&strict.Bool != 0:
		return "TYPE_BOOL"
	}
	return "TYPE_MESSAGE"
}

// brokenBytes finds a member that should be base64.
func brokenBytes(v *strict.Value, spec *strict.Spec, at strict.Path) *core.Fault {
	switch {
	case spec == nil:
		return nil
	case spec == base64Spec:
		if !isBase64(v.Text) {
			return invalid("Invalid value at '%s' (TYPE_BYTES), Base64 decoding failed for %s", snake(at.Bracketed()), strict.Quote(v.Text))
		}
		return nil
	}
	for i, item := range v.Items {
		if f := brokenBytes(item, spec.Items, at.Item(i)); f != nil {
			return f
		}
	}
	for _, m := range v.Fields {
		if f := brokenBytes(m.Value, spec.Fields[m.Name].Spec, at.Key(m.Name)); f != nil {
			return f
		}
	}
	return nil
}

// isBase64 takes both alphabets, with padding or without.
func isBase64(text string) bool {
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	_, err := base64.RawStdEncoding.DecodeString(plain)
	return err == nil
}

// checkGeneration holds the settings against the bounds of the model.
func checkGeneration(g *strict.Value, m *core.Model, onVertex bool) *core.Fault {
	for _, b := range []struct {
		name      string
		low, high float64
	}{{"temperature", 0, 2}, {"topP", 0, 1}, {"candidateCount", 0, 8}, {"presencePenalty", -2, 2}, {"frequencyPenalty", -2, 2}, {"logprobs", 0, 20}} {
		if n, ok := g.Get(b.name).Float(); ok && (n < b.low || n > b.high) {
			if onVertex {
				return invalid("Unable to submit request because it has a %s value of %s but the supported range is from %g (inclusive) to %g (inclusive). Update the value and try again.", b.name, g.Get(b.name).Text, b.low, b.high)
			}
			return rule("generation_config."+snake(b.name), "%s must be in the range [%.1f, %.1f].", snake(b.name), b.low, b.high)
		}
	}
	schemas := g.Has("responseSchema") || g.Has("responseJsonSchema")
	mime := g.Get("responseMimeType").Str()
	switch {
	case g.Get("maxOutputTokens").Int(1) <= 0:
		return rule("generation_config.max_output_tokens", "max_output_tokens must be positive.")
	case onVertex && m.Output > 0 && g.Get("maxOutputTokens").Int(1) > m.Output:
		return invalid("Unable to submit request because it has a maxOutputTokens value of %d but the supported range is from 1 (inclusive) to %d (exclusive). Update the value and try again.", g.Get("maxOutputTokens").Int(0), m.Output+1)
	case len(g.Get("stopSequences").List()) > 5:
		return rule("generation_config.stop_sequences", "the number of stop_sequences must not exceed 5.")
	case g.Has("logprobs") && !g.Get("responseLogprobs").True():
		return rule("generation_config.logprobs", "logprobs should only be set when response_logprobs is true.")
	case mime != "" && !slices.Contains([]string{"text/plain", "application/json", "text/x.enum"}, mime):
		return rule("generation_config.response_mime_type", "allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.")
	case schemas && mime != "application/json" && mime != "text/x.enum":
		return rule("generation_config.response_schema", "only allowed for `application/json` and `text/x.enum` response mime types.")
	case g.Has("responseSchema") && g.Has("responseJsonSchema"):
		return rule("generation_config", "response_schema and response_json_schema are mutually exclusive.")
	case g.Has("responseJsonSchema") && !takesSchemas(m):
		return invalid("JSON schema is not supported for this model.")
	}
	if f := checkSchema("generation_config.response_schema", g.Get("responseSchema")); f != nil {
		return f
	}
	return checkThinking(g.Get("thinkingConfig"), m)
}

// older are the models before Gemini 3.
func older(m *core.Model) bool {
	return strings.HasPrefix(m.ID, "gemini-1") || strings.HasPrefix(m.ID, "gemini-2")
}

func takesSchemas(m *core.Model) bool {
	return !strings.HasPrefix(m.ID, "gemini-1") && !strings.HasPrefix(m.ID, "gemini-2.0")
}

func checkThinking(t *strict.Value, m *core.Model) *core.Fault {
	budget, level := t.Get("thinkingBudget"), t.Get("thinkingLevel").Str()
	pro := strings.Contains(m.ID, "-pro")
	switch {
	case budget != nil && level != "":
		return invalid("You can only set only one of thinking budget and thinking level.")
	case t.Get("includeThoughts").True() && budget != nil && budget.Int(0) == 0:
		return invalid("Thinking is disabled by thinking_budget; include_thoughts is only enabled when thinking is enabled.")
	case (budget.Int(0) != 0 || level != "" || t.Get("includeThoughts").True()) && !m.Reasons:
		return invalid("Thinking is not enabled for models/%s", m.ID)
	case level != "" && older(m):
		return invalid("Thinking level is not supported for this model.")
	case strings.EqualFold(level, "minimal") && pro:
		return invalid("Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.")
	case budget != nil && budget.Int(0) == 0 && pro:
		return invalid("Budget 0 is invalid. This model only works in thinking mode.")
	case budget.Int(0) > 32768 || pro && budget.Int(0) > 0 && budget.Int(0) < 128:
		return invalid("The thinking budget %d is invalid. Please choose a value between 128 and 32768.", budget.Int(0))
	}
	return nil
}

// checkSchema holds a schema of the OpenAPI kind against its table, as deep as it goes.
func checkSchema(at string, schema *strict.Value) *core.Fault {
	if schema == nil {
		return nil
	}
	for _, p := range strict.Check(schema, schemaSpec) {
		f := violation(&p)
		f.Message = strings.Replace(f.Message, " at '", " at '"+at+".", 1)
		return f
	}
	if strings.EqualFold(schema.Get("type").Str(), "array") && !schema.Has("items") {
		return rule(at+".items", "missing field.")
	}
	for _, p := range schema.Get("properties").Members() {
		if f := checkSchema(at+".properties["+p.Name+"]", p.Value); f != nil {
			return f
		}
	}
	for i, name := range schema.Get("required").List() {
		if schema.Get("properties").Get(name.Str()) == nil {
			return rule(fmt.Sprintf("%s.required[%d]", at, i), "property is not defined")
		}
	}
	return checkSchema(at+".items", schema.Get("items"))
}
