package openai

import (
	"fmt"
	"sort"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

func sorted(list []string) []string {
	sort.Strings(list)
	return list
}

// checkTools holds tools, tool_choice and their legacy forms together.
func checkTools(body *strict.Value) *core.Fault {
	tools := toolNames(body)
	switch {
	case body.Has("tool_choice") && len(tools) == 0 && body.Get("tool_choice").Str() != "none":
		return invalid("tool_choice", "", "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.")
	case body.Has("parallel_tool_calls") && len(tools) == 0:
		return invalid("parallel_tool_calls", "", "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.")
	case body.Has("function_call") && !body.Has("functions"):
		return invalid("function_call", "", "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' are specified.")
	}
	if name := namedTool(body); name != "" && !tools[name] {
		return invalid("tool_choice", "", "Invalid value for 'tool_choice': Tool choice '%s' not found in 'tools' parameter.", name)
	}
	for i, t := range body.Get("tools").List() {
		if f := checkFunction(t.Get("function"), fmt.Sprintf("tools[%d].function", i)); f != nil {
			return f
		}
	}
	for i, t := range body.Get("functions").List() {
		if f := checkFunction(t, fmt.Sprintf("functions[%d]", i)); f != nil {
			return f
		}
	}
	return nil
}

func checkFunction(fn *strict.Value, at string) *core.Fault {
	schema := fn.Get("parameters")
	if schema == nil {
		return nil
	}
	name := fn.Get("name").Str()
	if t := schema.Get("type").Str(); t != "object" && len(schema.Fields) > 0 {
		if t == "" {
			t = "None"
		}
		return invalid(at+".parameters", "invalid_function_parameters", "Invalid schema for function '%s': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"%s\"'.", name, t)
	}
	if !fn.Get("strict").True() {
		return nil
	}
	if why := strictSchema(schema, nil); why != "" {
		return invalid(at+".parameters", "invalid_function_parameters", "Invalid schema for function '%s': %s", name, why)
	}
	return nil
}

// checkFormat holds response_format against its rules.
func checkFormat(body *strict.Value) *core.Fault {
	format := body.Get("response_format")
	switch format.Get("type").Str() {
	case "json_object":
		if !strings.Contains(strings.ToLower(text(body.Get("messages"))), "json") {
			return invalid("messages", "", "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.")
		}
	case "json_schema":
		js := format.Get("json_schema")
		if !js.Has("schema") {
			return invalid("response_format.json_schema.schema", "missing_required_parameter", "Missing required parameter: 'response_format.json_schema.schema'.")
		}
		if !js.Get("strict").True() {
			return nil
		}
		if why := strictSchema(js.Get("schema"), nil); why != "" {
			return invalid("response_format", "", "Invalid schema for response_format '%s': %s", js.Get("name").Str(), why)
		}
	}
	return nil
}

// strictSchema says what keeps a schema from strict mode: every object must
// close itself and require all of its properties.
func strictSchema(schema *strict.Value, context []string) string {
	if schema.Get("type").Str() == "object" || schema.Has("properties") {
		if why := strictObject(schema, context); why != "" {
			return why
		}
	}
	for _, group := range []string{"properties", "$defs", "definitions"} {
		for _, f := range fieldsOf(schema.Get(group)) {
			if why := strictSchema(f.Value, deeper(context, group, f.Name)); why != "" {
				return why
			}
		}
	}
	if items := schema.Get("items"); items != nil {
		if why := strictSchema(items, deeper(context, "items")); why != "" {
			return why
		}
	}
	for i, branch := range schema.Get("anyOf").List() {
		if why := strictSchema(branch, deeper(context, "anyOf", fmt.Sprint(i))); why != "" {
			return why
		}
	}
	return ""
}

func strictObject(schema *strict.Value, context []string) string {
	in := "In context=(" + strings.Join(context, ", ") + ")"
	if !schema.Get("additionalProperties").False() {
		return in + ", 'additionalProperties' is required to be supplied and to be false."
	}
	required := map[string]bool{}
	for _, name := range schema.Get("required").List() {
		required[name.Str()] = true
	}
	for _, f := range fieldsOf(schema.Get("properties")) {
		if !required[f.Name] {
			return in + ", 'required' is required to be supplied and to be an array including every key in properties. Missing '" + f.Name + "'."
		}
	}
	return ""
}

func deeper(context []string, steps ...string) []string {
	out := append([]string{}, context...)
	for _, s := range steps {
		out = append(out, "'"+s+"'")
	}
	return out
}

func toolNames(body *strict.Value) map[string]bool {
	names := map[string]bool{}
	for _, t := range toolsOf(body) {
		names[t.Name] = true
	}
	return names
}

// toolsOf lists the tools, the legacy functions included.
func toolsOf(body *strict.Value) []core.Tool {
	var out []core.Tool
	for _, t := range body.Get("tools").List() {
		if c := t.Get("custom"); c != nil {
			out = append(out, core.Tool{Name: c.Get("name").Str(), Custom: true})
			continue
		}
		fn := t.Get("function")
		out = append(out, core.Tool{Name: fn.Get("name").Str(), Schema: fn.Get("parameters")})
	}
	for _, fn := range body.Get("functions").List() {
		out = append(out, core.Tool{Name: fn.Get("name").Str(), Schema: fn.Get("parameters")})
	}
	return out
}

func namedTool(body *strict.Value) string {
	choice := body.Get("tool_choice")
	for _, kind := range []string{"function", "custom"} {
		if name := choice.Get(kind).Get("name").Str(); name != "" {
			return name
		}
	}
	return body.Get("function_call").Get("name").Str()
}

func readTools(p *core.Prompt, body *strict.Value) {
	p.Tools = toolsOf(body)
	choice := body.Get("tool_choice")
	mode := choice.Str()
	if allowed := choice.Get("allowed_tools"); allowed != nil {
		mode = allowed.Get("mode").Str()
		p.Tools = onlyAllowed(p.Tools, allowed.Get("tools").List())
	}
	if body.Has("function_call") {
		mode = body.Get("function_call").Str()
	}
	switch mode {
	case "none":
		p.Choice.Mode = core.ToolsNone
	case "required":
		p.Choice.Mode = core.ToolsRequired
	}
	if name := namedTool(body); name != "" {
		p.Choice = core.ToolChoice{Mode: core.ToolsNamed, Name: name}
	}
}

func onlyAllowed(tools []core.Tool, allowed []*strict.Value) []core.Tool {
	names := map[string]bool{}
	for _, t := range allowed {
		names[t.Get("function").Get("name").Str()] = true
		names[t.Get("custom").Get("name").Str()] = true
	}
	var out []core.Tool
	for _, t := range tools {
		if names[t.Name] {
			out = append(out, t)
		}
	}
	return out
}

func readFormat(p *core.Prompt, format *strict.Value) {
	switch format.Get("type").Str() {
	case "json_object":
		p.JSON = true
	case "json_schema":
		p.JSON = true
		p.Schema = format.Get("json_schema").Get("schema")
	}
}
