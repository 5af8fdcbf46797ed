package anthropic

import (
	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// checkTools holds tools and tool_choice together.
func checkTools(body *strict.Value) *core.Fault {
	names := map[string]bool{}
	for i, t := range body.Get("tools").List() {
		name := t.Get("name").Str()
		if names[name] {
			return invalid("tools: Tool names must be unique.")
		}
		names[name] = true
		for _, key := range []string{"oneOf", "allOf", "anyOf"} {
			if t.Get("input_schema").Has(key) {
				return invalid("tools.%d.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level", i)
			}
		}
	}
	choice := body.Get("tool_choice")
	if choice != nil && len(names) == 0 {
		return invalid("tool_choice may only be specified while providing tools.")
	}
	if name := choice.Get("name").Str(); name != "" && !names[name] {
		return invalid("Tool '%s' not found in provided tools", name)
	}
	return nil
}

func readTools(p *core.Prompt, body *strict.Value) {
	for _, t := range body.Get("tools").List() {
		if kind := t.Get("type").Str(); kind == "" || kind == "custom" {
			p.Tools = append(p.Tools, core.Tool{Name: t.Get("name").Str(), Schema: t.Get("input_schema")})
		}
	}
	choice := body.Get("tool_choice")
	p.Parallel = !choice.Get("disable_parallel_tool_use").True()
	p.Preface = true
	switch choice.Get("type").Str() {
	case "any":
		p.Choice.Mode = core.ToolsRequired
	case "none":
		p.Choice.Mode = core.ToolsNone
	case "tool":
		p.Choice = core.ToolChoice{Mode: core.ToolsNamed, Name: choice.Get("name").Str()}
	}
}

// format returns the output format in its present or its beta place.
func format(body *strict.Value) (v *strict.Value, at string) {
	if v := body.Get("output_config").Get("format"); v != nil {
		return v, "output_config.format"
	}
	return body.Get("output_format"), "output_format"
}

func readFormat(p *core.Prompt, body *strict.Value) {
	if v, _ := format(body); v.Has("schema") {
		p.JSON, p.Schema = true, v.Get("schema")
	}
}

// checkSchema refuses output schemas that leave an object open.
func checkSchema(body *strict.Value) *core.Fault {
	v, at := format(body)
	if openObject(v.Get("schema")) {
		return invalid("%s.schema: For 'object' type, 'additionalProperties' must be explicitly set to false", at)
	}
	return nil
}

func openObject(schema *strict.Value) bool {
	if schema == nil {
		return false
	}
	if schema.Get("type").Str() == "object" && !schema.Get("additionalProperties").False() {
		return true
	}
	for _, group := range []string{"properties", "$defs", "definitions"} {
		if sub := schema.Get(group); sub != nil {
			for _, f := range sub.Fields {
				if openObject(f.Value) {
					return true
				}
			}
		}
	}
	return openObject(schema.Get("items"))
}
