package openai

import (
	"github.com/posterngw/postern/filters/dialect/openai/base"
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
	kTopLogprobs
	kLogitBias
	kTier
	kVerbosity
	kModalities
	kWebSearch
	kFunctionCall
	kRandomSeed
	kPrompt
	kSuffix
	kEcho
	kBestOf
)

var inspected = jsonx.NewKeys(
	"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "tools",
	"functions", "user", "safety_identifier", "tool_choice", "parallel_tool_calls", "temperature", "top_p",
	"top_k", "seed", "presence_penalty", "frequency_penalty", "stop", "response_format", "reasoning_effort",
	"reasoning", "metadata", "logprobs", "top_logprobs", "logit_bias", "service_tier", "verbosity", "modalities",
	"web_search_options", "function_call", "random_seed", "prompt", "suffix", "echo", "best_of",
)

// Inspected lists the members that must not occur twice.
func (*client) Inspected() *jsonx.Keys { return inspected }

// members reads the members of a request.
type members struct{ base.Members }

func read(doc *jsonx.Document) *members {
	return &members{base.Members{Doc: doc, Keys: inspected}}
}
