package openai

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// checkMessages holds the conversation against the rules that join messages:
// each tool call is answered right after it, and each answer has its call.
func checkMessages(body *strict.Value) *core.Fault {
	open := map[string]bool{}
	called := false
	for i, m := range body.Get("messages").List() {
		role := m.Get("role").Str()
		if role == "tool" {
			if f := answersCall(m, i, open, called); f != nil {
				return f
			}
			delete(open, m.Get("tool_call_id").Str())
			continue
		}
		if len(open) > 0 {
			return unanswered(open, i)
		}
		if f := checkContent(m, role, i); f != nil {
			return f
		}
		called = len(m.Get("tool_calls").List()) > 0
		for _, call := range m.Get("tool_calls").List() {
			open[call.Get("id").Str()] = true
		}
	}
	if len(open) > 0 {
		return unanswered(open, len(body.Get("messages").List()))
	}
	return nil
}

func answersCall(m *strict.Value, i int, open map[string]bool, called bool) *core.Fault {
	at := messageAt(i)
	switch id := m.Get("tool_call_id").Str(); {
	case !called:
		return invalid(at+".role", "", "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.")
	case !open[id]:
		return invalid(at+".tool_call_id", "", "Invalid parameter: 'tool_call_id' of '%s' not found in 'tool_calls' of previous message.", id)
	}
	return nil
}

func unanswered(open map[string]bool, i int) *core.Fault {
	var ids []string
	for id := range open {
		ids = append(ids, id)
	}
	return invalid(messageAt(i)+".role", "", "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: %s", strings.Join(sorted(ids), ", "))
}

func checkContent(m *strict.Value, role string, i int) *core.Fault {
	empty := !m.Has("content")
	if role == "assistant" {
		empty = empty && !m.Has("tool_calls") && !m.Has("function_call") && !m.Has("refusal") && !m.Has("audio")
	}
	if empty && role != "function" {
		return invalid(messageAt(i)+".content", "", "Invalid value for 'content': expected a string, got null.")
	}
	for _, call := range m.Get("tool_calls").List() {
		if call.Get("id").Str() == "" {
			return invalid(messageAt(i)+".tool_calls", "", "Invalid value for 'tool_calls': a call needs an id.")
		}
	}
	return nil
}

// messageAt is how the API names a message in errors that no field table makes.
func messageAt(i int) string { return "messages.[" + strconv.Itoa(i) + "]" }

// readMessages takes the prompt out of the conversation and counts its tokens.
func readMessages(p *core.Prompt, messages []*strict.Value) {
	p.Messages = len(messages)
	for _, m := range messages {
		said := contentText(m.Get("content"))
		p.Input.Input += 3 + core.CountTokens(said) + core.CountTokens(text(m.Get("tool_calls")))
		countMedia(p, m.Get("content").List())
		switch m.Get("role").Str() {
		case "system", "developer":
			if p.System == "" {
				p.System = said
			}
		case "user":
			p.Text, p.Results = said, nil
		case "tool", "function":
			p.Results = append(p.Results, said)
		case "assistant":
			p.Results = nil
		}
	}
}

// Tokens that media cost: an image at low detail, an image otherwise, and bytes
// of base64 for one token of audio.
const (
	lowImageTokens  = 85
	imageTokens     = 255
	audioTokenBytes = 256
)

func countMedia(p *core.Prompt, content []*strict.Value) {
	for _, part := range content {
		switch part.Get("type").Str() {
		case "image_url":
			p.Images++
			p.Input.Input += imageTokens
			if part.Get("image_url").Get("detail").Str() == "low" {
				p.Input.Input += lowImageTokens - imageTokens
			}
		case "input_audio":
			n := 1 + len(part.Get("input_audio").Get("data").Str())/audioTokenBytes
			p.Input.AudioInput += n
			p.Input.Input += n
		case "file":
			p.Input.Input += imageTokens
		}
	}
}

func contentText(content *strict.Value) string {
	if content.Str() != "" {
		return content.Str()
	}
	var texts []string
	for _, part := range content.List() {
		if t := part.Get("text").Str(); t != "" {
			texts = append(texts, t)
		}
	}
	return strings.Join(texts, "\n")
}
