// Package thinking is how the models of the Claude family are asked to think,
// whichever API carries the request: by an effort or by a budget of tokens, which
// of the two a model knows, and when it refuses.
//
// It writes nothing: where the words stand is each API's own.
package thinking

import (
	"strings"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// budgetModels are parts of the names of models that think by a token budget:
// Claude 3.7 to 4.5. Later ones think adaptively.
var budgetModels = []string{
	"claude-3", "claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-2025", "claude-opus-4@", "claude-opus-4-5",
	"claude-sonnet-4-0", "claude-sonnet-4-2025", "claude-sonnet-4@", "claude-sonnet-4-5", "claude-haiku-4-5",
}

// ByBudget reports whether a model thinks by a budget.
func ByBudget(model string) bool {
	for _, part := range budgetModels {
		if strings.Contains(model, part) {
			return true
		}
	}
	return false
}

// efforts pairs OpenAI's words for effort with Anthropic's and with budgets, in
// tokens. Words that are not here go as they are, and count as high.
var efforts = []struct {
	word, effort string
	budget       int
}{
	{"minimal", "low", 1024},
	{"low", "low", 2048},
	{"medium", "medium", 8192},
	{"high", "high", 16384},
	{"xhigh", "xhigh", 32768},
	{"max", "max", 65536},
}

// MinBudget is the least budget that the models take.
const MinBudget = 1024

const highBudget = 16384

// Budget is the budget for thinking, at most half of limit, which bounds the
// output; 0 when that is less than the models take.
func Budget(r *llm.Reasoning, limit int) int {
	budget := r.Budget
	if budget <= 0 {
		budget = highBudget
		for _, x := range efforts {
			if jsonx.Equal(r.Effort, x.word) {
				budget = x.budget
			}
		}
	}
	if budget = min(max(budget, MinBudget), limit/2); budget < MinBudget {
		return 0
	}
	return budget
}

// Effort is the effort, or for a budget the largest effort that it pays for.
func Effort(r *llm.Reasoning) llm.Escaped {
	word := llm.Escaped("low")
	for _, x := range efforts {
		switch {
		case len(r.Effort) > 0 && jsonx.Equal(r.Effort, x.word):
			return llm.Escaped(x.effort)
		case len(r.Effort) == 0 && r.Budget >= x.budget:
			word = llm.Escaped(x.effort)
		}
	}
	if len(r.Effort) > 0 {
		return r.Effort
	}
	return word
}

// Forced reports whether a tool must be called: the models refuse to think then.
func Forced(r *llm.Request) bool {
	return len(r.Tools) > 0 && (r.ToolChoice.Mode == llm.ToolsRequired || r.ToolChoice.Mode == llm.ToolNamed)
}

// Lost reports whether the last assistant turn called tools and its thinking is
// not in the conversation: the models refuse to think by a budget then.
func Lost(list []llm.Message) bool {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Role != llm.Assistant {
			continue
		}
		calls, signed := false, false
		for p := range list[i].Parts {
			part := &list[i].Parts[p]
			calls = calls || part.Kind == llm.ToolCallPart
			signed = signed || part.Kind == llm.ReasoningPart && len(part.Signature) > 0
		}
		return calls && !signed
	}
	return false
}
