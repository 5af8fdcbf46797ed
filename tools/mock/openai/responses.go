package openai

import (
	"fmt"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

const responsesPath = "/v1/responses"

// responses implements core.Chat for POST /v1/responses.
type responses struct{}

// Catalogue implements core.Chat.
func (responses) Catalogue() []core.Model { return catalogue() }

// Check implements core.Chat.
func (responses) Check(_ *core.Exchange, body *strict.Value, m *core.Model) *core.Fault {
	if f := check(body, responseSpec); f != nil || m == nil {
		return f
	}
	return unsupportedResponse(body, m)
}

// unsupportedResponse refuses what a model does not take.
func unsupportedResponse(body *strict.Value, m *core.Model) *core.Fault {
	if !m.Reasons {
		for _, name := range []string{"effort", "summary"} {
			if body.Get("reasoning").Get(name).Str() != "" {
				return invalid("reasoning."+name, "unsupported_parameter", "Unsupported parameter: 'reasoning.%s' is not supported with this model.", name)
			}
		}
		return nil
	}
	for _, name := range []string{"temperature", "top_p"} {
		if v, ok := body.Get(name).Float(); ok && v != 1 {
			return invalid(name, "unsupported_parameter", "Unsupported parameter: '%s' is not supported with this model.", name)
		}
	}
	return nil
}

// responseTurn is one response, understood.
type responseTurn struct {
	prompt      core.Prompt
	body        *strict.Value
	items       []*strict.Value // the whole conversation so far
	store       bool
	encrypted   bool
	obfuscation bool
	logprobs    bool
}

// Prompt implements core.Turn.
func (t *responseTurn) Prompt() *core.Prompt { return &t.prompt }

// Read implements core.Chat.
func (responses) Read(x *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	x.Stream = body.Get("stream").True()
	for _, rule := range []func(*strict.Value) *core.Fault{checkResponseOptions, checkResponseTools, checkTextFormat} {
		if f := rule(body); f != nil {
			return nil, f
		}
	}
	t := &responseTurn{body: body, store: !body.Get("store").False(), obfuscation: !body.Get("stream_options").Get("include_obfuscation").False()}
	for _, v := range body.Get("include").List() {
		t.encrypted = t.encrypted || v.Str() == includeEncrypted
		t.logprobs = t.logprobs || v.Str() == includeLogprobs
	}
	if f := t.gather(x, body); f != nil {
		return nil, f
	}
	if f := checkItems(x, t.items); f != nil {
		return nil, f
	}
	t.read(m)
	return t, nil
}

// gather joins the conversation that was kept to the input.
func (t *responseTurn) gather(x *core.Exchange, body *strict.Value) *core.Fault {
	if id := body.Get("previous_response_id").Str(); id != "" {
		before, ok := x.World.Kept(id).(*keptResponse)
		if !ok {
			return invalid("previous_response_id", "previous_response_not_found", "Previous response with id '%s' not found.", id)
		}
		t.items = append(t.items, before.items...)
	}
	input := body.Get("input")
	if input.Str() != "" {
		t.items = append(t.items, inputMessage("user", input))
	}
	for i, item := range input.List() {
		if item.Get("type").Str() == "item_reference" || item.Has("id") && len(item.Fields) == 1 {
			id := item.Get("id").Str()
			kept, ok := x.World.Kept(id).(*strict.Value)
			if !ok {
				return &core.Fault{Status: 404, Type: invalidRequest, Param: "input", Message: itemNotFound(id)}
			}
			item = kept
		}
		if f := checkItemMedia(item, i); f != nil {
			return f
		}
		t.items = append(t.items, item)
	}
	if len(t.items) == 0 {
		return missing("input")
	}
	return nil
}

func itemNotFound(id string) string {
	return fmt.Sprintf("Item with id '%s' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.", id)
}

func inputMessage(role string, content *strict.Value) *strict.Value {
	return &strict.Value{Kind: strict.Object, Fields: []strict.Field{
		{Name: "role", Value: &strict.Value{Kind: strict.String, Text: role}}, {Name: "content", Value: content},
	}}
}

func checkItemMedia(item *strict.Value, i int) *core.Fault {
	for j, part := range item.Get("content").List() {
		at := fmt.Sprintf("input[%d].content[%d]", i, j)
		switch part.Get("type").Str() {
		case "input_image":
			if !part.Has("image_url") && !part.Has("file_id") {
				return missing(at + ".image_url")
			}
			if url := part.Get("image_url").Str(); url != "" {
				if f := checkImage(url); f != nil {
					return f
				}
			}
		case "output_text", "refusal":
			if item.Get("role").Str() != "assistant" {
				return invalid(at, "invalid_value", "Invalid value: '%s'. Supported values are: 'input_text', 'input_image', 'input_audio', and 'input_file'.", part.Get("type").Str())
			}
		case "input_text":
			if item.Get("role").Str() == "assistant" {
				return invalid(at, "invalid_value", "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.")
			}
		}
	}
	return nil
}

// checkItems holds calls and their outputs together, and reasoning with what it
// led to; encrypted reasoning must be what was given out.
func checkItems(x *core.Exchange, items []*strict.Value) *core.Fault {
	called, answered := map[string]bool{}, map[string]bool{}
	for i, item := range items {
		id := item.Get("call_id").Str()
		switch item.Get("type").Str() {
		case "function_call", "custom_tool_call":
			called[id] = true
		case "function_call_output", "custom_tool_call_output":
			if !called[id] {
				return invalid("input", "", "No tool call found for function call output with call_id %s.", id)
			}
			answered[id] = true
		case "reasoning":
			if f := checkReasoning(x, items, i); f != nil {
				return f
			}
		}
	}
	for _, item := range items {
		if id := item.Get("call_id").Str(); id != "" && !answered[id] {
			return invalid("input", "", "No tool output found for function call %s.", id)
		}
	}
	return nil
}

func checkReasoning(x *core.Exchange, items []*strict.Value, i int) *core.Fault {
	id, sealed := items[i].Get("id").Str(), items[i].Get("encrypted_content").Str()
	switch {
	case sealed != "" && sealed != seal(x, id):
		return invalid("", "invalid_encrypted_content", "The encrypted content for item %s could not be verified.", id)
	case sealed == "" && x.World.Kept(id) == nil:
		return &core.Fault{Status: 404, Type: invalidRequest, Param: "input", Message: itemNotFound(id)}
	case i+1 == len(items) || items[i+1].Get("role").Str() == "user":
		return invalid("input", "", "Item '%s' of type 'reasoning' was provided without its required following item.", id)
	}
	return nil
}

// seal is the encrypted content of a reasoning item.
func seal(x *core.Exchange, id string) string {
	return "gAAAAA" + x.World.Rand("encrypted", id).String(core.Base62, 150) + "=="
}

func checkResponseOptions(body *strict.Value) *core.Fault {
	switch {
	case body.Has("stream_options") && !body.Get("stream").True():
		return invalid("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	case body.Get("background").True():
		return invalid("background", "unsupported_parameter", "Unsupported parameter: 'background' is not supported with this model.")
	case body.Has("previous_response_id") && body.Has("conversation"):
		return invalid("previous_response_id", "mutually_exclusive_parameters", "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of them.")
	case body.Has("conversation"):
		id := body.Get("conversation").Str() + body.Get("conversation").Get("id").Str()
		return &core.Fault{Status: 404, Type: invalidRequest, Message: "Conversation with id '" + id + "' not found."}
	case body.Has("prompt"):
		return &core.Fault{Status: 404, Type: invalidRequest, Message: "Prompt with id '" + body.Get("prompt").Get("id").Str() + "' not found."}
	}
	return checkMetadata(body.Get("metadata"))
}

func checkResponseTools(body *strict.Value) *core.Fault {
	names := map[string]bool{}
	for i, t := range body.Get("tools").List() {
		if f := checkFunction(t, fmt.Sprintf("tools[%d]", i)); f != nil {
			return f
		}
		names[t.Get("name").Str()] = true
		names[t.Get("type").Str()] = true
	}
	choice := body.Get("tool_choice")
	switch name := choice.Get("name").Str(); {
	case choice.Str() == "required" && len(names) == 0:
		return invalid("tool_choice", "", "Tool choice 'required' must be specified with 'tools' parameter.")
	case name != "" && !names[name], name == "" && choice.Has("type") && choice.Get("type").Str() != "allowed_tools" && !names[choice.Get("type").Str()]:
		return invalid("tool_choice", "", "Tool choice '%s' not found in 'tools' parameter.", name+choice.Get("type").Str())
	}
	return nil
}

func checkTextFormat(body *strict.Value) *core.Fault {
	format := body.Get("text").Get("format")
	switch format.Get("type").Str() {
	case "json_object":
		if !strings.Contains(strings.ToLower(text(body.Get("input"))), "json") {
			return invalid("input", "", "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.")
		}
	case "json_schema":
		if !format.Get("strict").True() {
			return nil
		}
		if why := strictSchema(format.Get("schema"), nil); why != "" {
			return invalid("text.format.schema", "invalid_json_schema", "Invalid schema for response_format '%s': %s", format.Get("name").Str(), why)
		}
	}
	return nil
}

// read makes the prompt.
func (t *responseTurn) read(m *core.Model) {
	p, body := &t.prompt, t.body
	p.System = body.Get("instructions").Str()
	t.readItems()
	t.readTools()
	format := body.Get("text").Get("format")
	switch format.Get("type").Str() {
	case "json_schema":
		p.JSON, p.Schema = true, format.Get("schema")
	case "json_object":
		p.JSON = true
	}
	p.MaxTokens = body.Get("max_output_tokens").Int(0)
	p.Vary = text(body.Get("temperature"))
	p.Parallel = !body.Get("parallel_tool_calls").False()
	if m.Reasons {
		p.Reasoning = effort[body.Get("reasoning").Get("effort").Str()]
		p.Thinking = p.Reasoning > 0 && body.Get("reasoning").Get("summary").Str() != ""
	}
	p.Input.Input += 3 + core.CountTokens(p.System)
	for _, name := range []string{"tools", "text"} {
		if v := body.Get(name); v != nil {
			p.Input.Input += core.CountTokens(text(v))
		}
	}
}

func (t *responseTurn) readItems() {
	p := &t.prompt
	p.Messages = len(t.items)
	for _, item := range t.items {
		said := contentText(item.Get("content"))
		p.Input.Input += 3 + core.CountTokens(said) + core.CountTokens(item.Get("arguments").Str())
		for _, part := range item.Get("content").List() {
			if part.Get("type").Str() == "input_image" {
				p.Images++
				p.Input.Input += imageTokens
			}
		}
		switch role := item.Get("role").Str(); {
		case role == "user":
			p.Text, p.Results = said, nil
		case role == "assistant":
			p.Results = nil
		case role != "" && p.System == "":
			p.System = said
		case item.Has("output"):
			result := contentText(item.Get("output"))
			p.Input.Input += core.CountTokens(result)
			p.Results = append(p.Results, result)
		}
	}
}

// readTools takes the tools that the client runs; those of OpenAI are never called.
func (t *responseTurn) readTools() {
	p, choice := &t.prompt, t.body.Get("tool_choice")
	only := map[string]bool{}
	for _, a := range choice.Get("tools").List() {
		only[a.Get("name").Str()] = true
	}
	for _, tool := range t.body.Get("tools").List() {
		name := tool.Get("name").Str()
		kind := tool.Get("type").Str()
		if (kind == "function" || kind == "custom") && (len(only) == 0 || only[name]) {
			p.Tools = append(p.Tools, core.Tool{Name: name, Schema: tool.Get("parameters"), Custom: kind == "custom"})
		}
	}
	switch choice.Str() + choice.Get("mode").Str() {
	case "none":
		p.Choice.Mode = core.ToolsNone
	case "required":
		p.Choice.Mode = core.ToolsRequired
	}
	if name := choice.Get("name").Str(); name != "" {
		p.Choice = core.ToolChoice{Mode: core.ToolsNamed, Name: name}
	}
}

// keptResponse is a response that is stored: its body, and the conversation with it.
type keptResponse struct {
	body  []byte
	items []*strict.Value
}

// response shows or deletes a response that is stored.
func (d Dialect) response(x *core.Exchange) core.Reply {
	id := core.LastSegment(x.Path)
	kept, ok := x.World.Kept(id).(*keptResponse)
	switch {
	case !ok:
		return d.Refuse(x, core.Fault{Status: 404, Type: invalidRequest, Message: "Response with id '" + id + "' not found."})
	case x.Method == "DELETE":
		x.World.Forget(id)
		return core.Reply{Status: 200, Header: header(x, jsonType), Body: indented(map[string]any{"id": id, "object": "response", "deleted": true})}
	}
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: kept.body}
}
