package mock

import (
	"github.com/posterngw/postern/tools/mock/anthropic"
	"github.com/posterngw/postern/tools/mock/bedrock"
	"github.com/posterngw/postern/tools/mock/cohere"
	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/gemini"
	"github.com/posterngw/postern/tools/mock/ollama"
	"github.com/posterngw/postern/tools/mock/openai"
)

// dialects is the one list of dialects. Where two claim a request, the first
// has it; the last answers what nobody claims.
func dialects() []core.Dialect {
	return []core.Dialect{
		anthropic.Dialect{},
		bedrock.Dialect{},
		cohere.Dialect{},
		gemini.Dialect{},
		ollama.Dialect{},
		openai.Dialect{},
	}
}
