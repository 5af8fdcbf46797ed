package dialecttest

import (
	"fmt"

	"github.com/posterngw/postern/filters/llm"
)

// PartName is a word for a kind of content.
func PartName(k llm.PartKind) string {
	return word([]string{"text", "image", "audio", "document", "tool_call", "tool_result", "reasoning", "refusal", "other"}, int(k))
}

// FinishName is a word for a finish reason.
func FinishName(f llm.Finish) string {
	return word([]string{"none", "stop", "length", "tool", "filter", "refusal", "pause", "other"}, int(f))
}

// RoleName is a word for a role.
func RoleName(r llm.Role) string {
	return word([]string{"user", "assistant", "system", "developer", "tool"}, int(r))
}

func word(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return fmt.Sprint(i)
}
