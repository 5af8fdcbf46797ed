package gemini

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// content implements core.Chat.
type content struct{}

// Catalogue implements core.Chat.
func (content) Catalogue() []core.Model { return catalogue() }

// Check implements core.Chat.
func (content) Check(x *core.Exchange, body *strict.Value, m *core.Model) *core.Fault {
	spec := generateSpec
	if vertex(x) {
		spec = vertexSpec
	}
	if f := check(body, spec); f != nil || m == nil {
		return f
	}
	return checkGeneration(body.Get("generationConfig"), m, vertex(x))
}

// turn is one answer to make, understood.
type turn struct {
	prompt core.Prompt
	signs  bool
	level3 bool // calls have identifiers
}

// Prompt implements core.Turn.
func (t *turn) Prompt() *core.Prompt { return &t.prompt }

// Read implements core.Chat.
func (content) Read(x *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	t := &turn{level3: !older(m)}
	p := &t.prompt
	r := reader{x: x, p: p, strict: strings.HasPrefix(m.ID, "gemini-3")}
	if f := r.conversation(body); f != nil {
		return nil, f
	}
	if f := readTools(p, body, m); f != nil {
		return nil, f
	}
	g := body.Get("generationConfig")
	p.MaxTokens = g.Get("maxOutputTokens").Int(0)
	if m.Output > 0 {
		p.MaxTokens = min(p.MaxTokens, m.Output)
	}
	p.N = g.Get("candidateCount").Int(1)
	for _, s := range g.Get("stopSequences").List() {
		p.Stop = append(p.Stop, s.Str())
	}
	if p.JSON = g.Get("responseMimeType").Str() == "application/json"; p.JSON && len(p.Tools) > 0 && older(m) {
		return nil, invalid("Function calling with a response mime type: 'application/json' is unsupported")
	}
	if schema := g.Get("responseJsonSchema"); schema != nil {
		p.Schema = schema
	} else if schema := g.Get("responseSchema"); schema != nil {
		p.Schema = lowered(schema)
	}
	for _, name := range []string{"seed", "temperature"} {
		if v := g.Get(name); v != nil {
			p.Vary += v.Text + " "
		}
	}
	readThinking(p, g.Get("thinkingConfig"), m)
	t.signs = p.Reasoning > 0
	return t, nil
}

// readThinking sets how many tokens are thought: few, whatever the budget.
func readThinking(p *core.Prompt, c *strict.Value, m *core.Model) {
	if !m.Reasons {
		return
	}
	p.Reasoning = 16
	if level := strings.ToLower(c.Get("thinkingLevel").Str()); level != "" {
		p.Reasoning = map[string]int{"minimal": 2, "low": 8, "medium": 16, "high": 32}[level]
	}
	if budget := c.Get("thinkingBudget").Int(-1); budget >= 0 {
		p.Reasoning = min(budget, 32)
	}
	p.Thinking = c.Get("includeThoughts").True() && p.Reasoning > 0
}

// lowered is a schema of the OpenAPI kind as a JSON schema: types in small letters.
func lowered(v *strict.Value) *strict.Value {
	out := *v
	out.Items, out.Fields = nil, nil
	for _, item := range v.Items {
		out.Items = append(out.Items, lowered(item))
	}
	for _, f := range v.Fields {
		low := lowered(f.Value)
		if f.Name == "type" && low.Kind == strict.String {
			low.Text = strings.ToLower(low.Text)
		}
		out.Fields = append(out.Fields, strict.Field{Name: f.Name, Value: low})
	}
	return &out
}

// reader goes through a conversation.
type reader struct {
	x       *core.Exchange
	p       *core.Prompt
	strict  bool // a call of the current turn needs its signature
	current int  // the turn that the conversation is in begins here
	calls   int  // of the turn before
	last    string
}

func (r *reader) conversation(body *strict.Value) *core.Fault {
	list := body.Get("contents").List()
	if len(list) == 0 {
		return rule("contents", "contents is not specified")
	}
	for i, c := range list {
		if slices.ContainsFunc(c.Get("parts").List(), asks) && role(c) == "user" {
			r.current = i
		}
	}
	for _, part := range body.Get("systemInstruction").Get("parts").List() {
		r.p.System += part.Get("text").Str()
	}
	r.p.Input.Input += core.CountTokens(r.p.System)
	for i, c := range list {
		if f := r.content(i, c); f != nil {
			return f
		}
	}
	return nil
}

// asks says whether a part of a user's content is more than the result of a call.
func asks(part *strict.Value) bool { return !part.Has("functionResponse") }

func role(c *strict.Value) string {
	if role := c.Get("role").Str(); role != "" && role != "function" {
		return role
	}
	return "user"
}

func (r *reader) content(i int, c *strict.Value) *core.Fault {
	parts := c.Get("parts").List()
	at := fmt.Sprintf("contents[%d]", i)
	who := role(c)
	switch {
	case who != "user" && who != "model":
		return invalid("Please use a valid role: user, model.")
	case len(parts) == 0:
		return rule(at+".parts", "contents.parts must not be empty.")
	}
	r.p.Messages++
	r.p.Results = nil
	var said []string
	calls, results := 0, 0
	for j, part := range parts {
		if f := r.part(fmt.Sprintf("%s.parts[%d]", at, j), part, &said); f != nil {
			return f
		}
		if call := part.Get("functionCall"); call != nil {
			calls++
			if f := r.signed(call, part, i, j, calls == 1); f != nil {
				return f
			}
		}
		if part.Has("functionResponse") {
			results++
		}
	}
	if r.last == who { // the pieces of a stream, kept one by one, are one turn
		calls += r.calls
	}
	f := r.order(who, calls, results)
	r.last, r.calls = who, calls
	if who == "user" && len(said) > 0 {
		r.p.Text = strings.Join(said, "\n")
	}
	return f
}

// order holds calls and results against what comes before them.
func (r *reader) order(who string, calls, results int) *core.Fault {
	switch {
	case calls > 0 && r.last == "":
		return invalid("Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
	case results > 0 && r.calls == 0:
		return invalid("Please ensure that function response turn comes immediately after a function call turn.")
	case who == "user" && results != r.calls:
		return invalid("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
	}
	return nil
}

func (r *reader) part(at string, part *strict.Value, said *[]string) *core.Fault {
	set := ""
	for _, name := range data {
		switch {
		case !part.Has(name):
		case set != "":
			return invalid("Invalid value at '%s' (oneof), oneof field 'data' is already set. Cannot set '%s'", at, name)
		default:
			set = name
		}
	}
	text := part.Get("text").Str()
	r.p.Input.Input += core.CountTokens(text) + 1
	switch set {
	case "":
		if !part.Has("thoughtSignature") {
			return rule(at+".data", "required oneof field 'data' must have one initialized field")
		}
	case "text":
		if text == "" && vertex(r.x) && !part.Has("thoughtSignature") {
			return invalid("Unable to submit request because it has an empty text parameter. Add a value to the parameter and try again.")
		}
		*said = append(*said, text)
	case "inlineData", "fileData":
		mime := part.Get(set).Get("mimeType").Str()
		if mime == "" {
			return rule(at+"."+snake(set)+".mime_type", "mime_type must not be empty.")
		}
		if strings.HasPrefix(mime, "image/") {
			r.p.Images++
			r.p.Input.Input += 258
		}
	case "functionResponse":
		return r.result(at, part.Get(set))
	}
	if sign := part.Get("thoughtSignature").Str(); sign != "" && set == "text" && !part.Get("thought").True() && !r.genuine(sign, "") {
		return corrupted()
	}
	return nil
}

func (r *reader) result(at string, v *strict.Value) *core.Fault {
	if v.Get("name").Str() == "" {
		return rule(at+".function_response.name", "Name cannot be empty.")
	}
	text := string(encode(v.Get("response")))
	for _, key := range []string{"output", "result", "error"} {
		if s := v.Get("response").Get(key).Str(); s != "" {
			text = s
		}
	}
	r.p.Results = append(r.p.Results, text)
	r.p.Input.Input += core.CountTokens(text)
	return nil
}

// signed checks the signature of a call. A model of Gemini 3 wants one with the
// first call of each step of the current turn.
func (r *reader) signed(call, part *strict.Value, content, at int, first bool) *core.Fault {
	name, sign := call.Get("name").Str(), part.Get("thoughtSignature").Str()
	switch {
	case sign == "" && first && r.strict && content > r.current:
		return invalid("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:%s` , position %d. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.", name, at+1)
	case sign != "" && !r.genuine(sign, name):
		return corrupted()
	}
	r.p.Input.Input += core.CountTokens(name) + core.CountTokens(string(encode(call.Get("args"))))
	return nil
}

func corrupted() *core.Fault { return invalid("Corrupted thought signature.") }

// declared is what the API takes as the name of a function.
var declared = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$`)

func readTools(p *core.Prompt, body *strict.Value, m *core.Model) *core.Fault {
	p.Parallel = true
	served := false
	var names []string
	for i, tool := range body.Get("tools").List() {
		for j, d := range tool.Get("functionDeclarations").List() {
			at := fmt.Sprintf("tools[%d].function_declarations[%d]", i, j)
			t, f := declaration(at, d, m)
			if f == nil && slices.Contains(names, t.Name) {
				f = invalid("Duplicate function declaration found: %s", t.Name)
			}
			if f != nil {
				return f
			}
			names = append(names, t.Name)
			p.Tools = append(p.Tools, t)
			p.Input.Input += 20
		}
		served = served || len(tool.Fields) > 1 || len(tool.Fields) == 1 && !tool.Has("functionDeclarations")
	}
	if served && len(names) > 0 && older(m) {
		return invalid("Tool use with function calling is unsupported")
	}
	return readChoice(p, body.Get("toolConfig").Get("functionCallingConfig"), names)
}

func declaration(at string, d *strict.Value, m *core.Model) (core.Tool, *core.Fault) {
	t := core.Tool{Name: d.Get("name").Str()}
	switch plain := d.Get("parametersJsonSchema"); {
	case !declared.MatchString(t.Name):
		return t, rule(at+".name", "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.")
	case plain != nil && d.Has("parameters"):
		return t, rule(at, "parameters and parameters_json_schema are mutually exclusive.")
	case plain != nil && !takesSchemas(m):
		return t, invalid("JSON schema is not supported for this model.")
	case plain != nil:
		t.Schema = plain
	case d.Has("parameters"):
		t.Schema = lowered(d.Get("parameters"))
	}
	return t, checkSchema(at+".parameters", d.Get("parameters"))
}

func readChoice(p *core.Prompt, c *strict.Value, names []string) *core.Fault {
	const at = "tool_config.function_calling_config"
	allowed := c.Get("allowedFunctionNames").List()
	mode := c.Get("mode").Str()
	switch {
	case mode == "ANY" && len(names) == 0:
		return rule(at, "Function calling config is set without function_declarations.")
	case len(allowed) > 0 && mode != "ANY" && mode != "VALIDATED":
		return rule(at+".allowed_function_names", "allowed_function_names should only be set when the mode is ANY or VALIDATED.")
	}
	var kept []core.Tool
	for _, name := range allowed {
		i := slices.Index(names, name.Str())
		if i < 0 {
			return rule(at+".allowed_function_names", "%s is not the name of a function declaration.", name.Str())
		}
		kept = append(kept, p.Tools[i])
	}
	if len(kept) > 0 {
		p.Tools = kept
	}
	switch mode {
	case "NONE":
		p.Choice.Mode = core.ToolsNone
	case "ANY":
		p.Choice.Mode = core.ToolsRequired
	}
	return nil
}
