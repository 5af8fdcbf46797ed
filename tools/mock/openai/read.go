package openai

import (
	"encoding/base64"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// chat implements core.Chat for POST /v1/chat/completions.
type chat struct{}

// Catalogue implements core.Chat.
func (chat) Catalogue() []core.Model { return catalogue() }

// Check implements core.Chat. What the model does not support is refused before
// the rest is looked at.
func (chat) Check(_ *core.Exchange, body *strict.Value, m *core.Model) *core.Fault {
	if m != nil {
		if f := unsupported(body, m); f != nil {
			return f
		}
	}
	return check(body, chatSpec)
}

// turn is one chat completion, understood.
type turn struct {
	prompt      core.Prompt
	usage       bool // a stream that ends with usage
	obfuscation bool
	logprobs    bool
	topLogprobs int
	tier        string
	functions   bool // the tools are legacy functions
}

// Prompt implements core.Turn.
func (t *turn) Prompt() *core.Prompt { return &t.prompt }

// Read implements core.Chat.
func (chat) Read(x *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	x.Stream = body.Get("stream").True()
	rules := []func(*strict.Value) *core.Fault{
		checkOptions, checkTools, checkFormat, checkMessages, checkImages,
	}
	for _, rule := range rules {
		if f := rule(body); f != nil {
			return nil, f
		}
	}
	options := body.Get("stream_options")
	t := &turn{
		usage:       options.Get("include_usage").True(),
		obfuscation: !options.Get("include_obfuscation").False(),
		logprobs:    body.Get("logprobs").True(),
		topLogprobs: body.Get("top_logprobs").Int(0),
		tier:        tierOf(body.Get("service_tier").Str()),
		functions:   body.Has("functions"),
	}
	readPrompt(&t.prompt, body, m)
	return t, nil
}

func tierOf(asked string) string {
	switch asked {
	case "", "auto", "scale":
		return "default"
	case "fast":
		return "priority"
	}
	return asked
}

// unsupported refuses what reasoning models do not take, and reasoning_effort
// for the others.
func unsupported(body *strict.Value, m *core.Model) *core.Fault {
	if !m.Reasons {
		if body.Has("reasoning_effort") {
			return invalid("", "", "Unrecognized request argument supplied: reasoning_effort")
		}
		return nil
	}
	if body.Has("max_tokens") {
		return invalid("max_tokens", "unsupported_parameter", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
	}
	for _, name := range []string{"logprobs", "top_logprobs", "logit_bias", "stop"} {
		if body.Has(name) && !body.Get(name).False() {
			return invalid(name, "unsupported_parameter", "Unsupported parameter: '%s' is not supported with this model.", name)
		}
	}
	defaults := map[string]float64{"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
	for _, name := range []string{"temperature", "top_p", "presence_penalty", "frequency_penalty"} {
		if v, ok := body.Get(name).Float(); ok && v != defaults[name] {
			return invalid(name, "unsupported_value", "Unsupported value: '%s' does not support %s with this model. Only the default (%v) value is supported.", name, body.Get(name).Text, defaults[name])
		}
	}
	return nil
}

func checkOptions(body *strict.Value) *core.Fault {
	switch {
	case body.Has("stream_options") && !body.Get("stream").True():
		return invalid("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	case body.Has("max_tokens") && body.Has("max_completion_tokens"):
		return invalid("max_tokens", "invalid_parameter_combination", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
	case body.Has("top_logprobs") && !body.Get("logprobs").True():
		return invalid("top_logprobs", "", "'logprobs' must be set to true when 'top_logprobs' is used.")
	case body.Has("web_search_options") && !strings.Contains(body.Get("model").Str(), "search"):
		return invalid("web_search_options", "unknown_parameter", "Unknown parameter: 'web_search_options'.")
	}
	for _, m := range body.Get("modalities").List() {
		if m.Str() == "audio" {
			return invalid("modalities", "unsupported_value", "This model does not support the requested modality 'audio'.")
		}
	}
	for _, f := range fieldsOf(body.Get("logit_bias")) {
		if v, ok := f.Value.Float(); !ok || v < -100 || v > 100 {
			return invalid("logit_bias", "invalid_value", "Invalid 'logit_bias': every bias must be a number between -100 and 100.")
		}
	}
	return checkMetadata(body.Get("metadata"))
}

func checkMetadata(metadata *strict.Value) *core.Fault {
	fields := fieldsOf(metadata)
	if len(fields) > 16 {
		return invalid("metadata", "object_above_max_properties", "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with %d properties instead.", len(fields))
	}
	for _, f := range fields {
		at := "metadata." + f.Name
		if f.Value.Kind != strict.String {
			return invalid(at, "invalid_type", "Invalid type for '%s': expected a string, but got %s instead.", at, got(f.Value))
		}
		if len(f.Name) > 64 || len(f.Value.Text) > 512 {
			return invalid(at, "string_above_max_length", "Invalid '%s': string too long.", at)
		}
	}
	return nil
}

func fieldsOf(v *strict.Value) []strict.Field {
	if v == nil {
		return nil
	}
	return v.Fields
}

// checkImages refuses images that the API could not load: it takes web
// addresses and base64 of four formats.
func checkImages(body *strict.Value) *core.Fault {
	for _, m := range body.Get("messages").List() {
		for _, part := range m.Get("content").List() {
			if part.Get("type").Str() != "image_url" {
				continue
			}
			if f := checkImage(part.Get("image_url").Get("url").Str()); f != nil {
				return f
			}
		}
	}
	return nil
}

func checkImage(url string) *core.Fault {
	if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
		return nil
	}
	head, data, _ := strings.Cut(url, ",")
	switch head {
	case "data:image/png;base64", "data:image/jpeg;base64", "data:image/gif;base64", "data:image/webp;base64":
	default:
		return invalid("", "invalid_image_format", "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].")
	}
	if _, err := base64.StdEncoding.DecodeString(data); err != nil || data == "" {
		return invalid("", "invalid_base64", "Invalid base64 image_url.")
	}
	return nil
}

func readPrompt(p *core.Prompt, body *strict.Value, m *core.Model) {
	readMessages(p, body.Get("messages").List())
	readTools(p, body)
	readFormat(p, body.Get("response_format"))
	p.MaxTokens = body.Get("max_completion_tokens").Int(body.Get("max_tokens").Int(0))
	p.N = body.Get("n").Int(1)
	p.Vary = text(body.Get("seed")) + text(body.Get("temperature"))
	p.Parallel = !body.Get("parallel_tool_calls").False() && !body.Has("functions")
	p.Stop = stops(body.Get("stop"))
	if m.Reasons {
		p.Reasoning = effort[body.Get("reasoning_effort").Str()]
	}
	p.Input.Input += 3
	for _, name := range []string{"tools", "functions", "response_format"} {
		if v := body.Get(name); v != nil {
			p.Input.Input += core.CountTokens(text(v))
		}
	}
}

// effort maps reasoning_effort to reasoning tokens; they come in multiples of
// 64, as the API reports them.
var effort = map[string]int{
	"": 192, "none": 0, "minimal": 0, "low": 64, "medium": 192, "high": 448, "xhigh": 960, "max": 1920,
}

func text(v *strict.Value) string {
	if v == nil {
		return ""
	}
	out, err := v.MarshalJSON()
	if err != nil {
		return ""
	}
	return string(out)
}

func stops(v *strict.Value) []string {
	if v.Str() != "" {
		return []string{v.Str()}
	}
	var out []string
	for _, s := range v.List() {
		out = append(out, s.Str())
	}
	return out
}
