package openai

import (
	"math"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members of a request that have a place in the vocabulary or
// that must be looked at. Having one of them twice is refused.
const (
	kModel = iota
	kMessages
	kStream
	kStreamOptions
	kMaxTokens
	kMaxCompletionTokens
	kN
	kTools
	kFunctions
	kUser
	kSafetyID
	kToolChoice
	kParallel
	kTemperature
	kTopP
	kTopK
	kSeed
	kPresence
	kFrequency
	kStop
	kFormat
	kEffort
	kReasoning
	kMetadata
	kLogprobs
	kModalities
	kWebSearch
	kFunctionCall
)

var inspected = jsonx.NewKeys(
	"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "tools",
	"functions", "user", "safety_identifier", "tool_choice", "parallel_tool_calls", "temperature", "top_p",
	"top_k", "seed", "presence_penalty", "frequency_penalty", "stop", "response_format", "reasoning_effort",
	"reasoning", "metadata", "logprobs", "modalities", "web_search_options", "function_call",
)

// Inspected lists the members that must not occur twice.
func (*client) Inspected() *jsonx.Keys { return inspected }

// members reads top-level members and keeps the first error.
type members struct {
	doc *jsonx.Document
	err *llm.Error
}

// get returns the value of a member; null counts as absent.
func (m *members) get(k int) (jsonx.Value, []byte, bool) {
	v, ok := m.doc.Get(k)
	if !ok || v.Kind == jsonx.Null {
		return v, nil, false
	}
	return v, v.Raw(m.doc.Body()), true
}

func (m *members) wrong(k int, want string) {
	if m.err == nil {
		name := inspected.Name(k)
		m.err = dialect.Invalid("invalid_type", name, "Invalid type for '"+name+"': expected "+want+".")
	}
}

// raw returns a value of the given kind, or nil.
func (m *members) raw(k int, kind jsonx.Kind, want string) []byte {
	v, raw, ok := m.get(k)
	if ok && v.Kind != kind {
		m.wrong(k, want)
		return nil
	}
	return raw
}

func (m *members) array(k int) []byte  { return m.raw(k, jsonx.Array, "an array") }
func (m *members) object(k int) []byte { return m.raw(k, jsonx.Object, "an object") }

// text returns the interior of a string, or nil.
func (m *members) text(k int) llm.Escaped {
	return llm.Escaped(jsonx.Interior(m.raw(k, jsonx.String, "a string")))
}

// flag returns a boolean and whether it is there.
func (m *members) flag(k int) (value, ok bool) {
	return jsonx.Bool(m.raw(k, jsonx.Boolean, "a boolean"))
}

// number returns a number as it is spelled.
func (m *members) number(k int) llm.Number {
	return llm.Number(m.raw(k, jsonx.Number, "a number"))
}

// count returns an integer, bounded to what an int32 holds; 0 when absent.
func (m *members) count(k int) int {
	raw := m.raw(k, jsonx.Number, "an integer")
	if raw == nil {
		return 0
	}
	n, ok := jsonx.Int(raw)
	if !ok {
		m.wrong(k, "an integer")
		return 0
	}
	return int(min(max(n, math.MinInt32), math.MaxInt32))
}

// length counts the elements of an array.
func length(array []byte) int {
	n := 0
	for it := jsonx.Elements(array); it.Next(); {
		n++
	}
	return n
}
