// Package builtin is the one list of what the module speaks. The module and
// the tools that validate a configuration for it read the same list. It holds
// nothing else.
package builtin

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/bedrock"
	"github.com/posterngw/postern/filters/dialect/cohere"
	"github.com/posterngw/postern/filters/dialect/gemini"
	"github.com/posterngw/postern/filters/dialect/ollama"
	"github.com/posterngw/postern/filters/dialect/openai"
)

// Dialects lists the dialects. The first with a client side answers on paths
// that none knows.
func Dialects() []*dialect.Dialect {
	return []*dialect.Dialect{
		openai.New(),
		anthropic.New(),
		cohere.New(),
		ollama.New(),
		bedrock.New(anthropic.Messages(), openai.Chat()),
		gemini.New(),
	}
}
