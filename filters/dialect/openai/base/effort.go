package base

import "github.com/posterngw/postern/filters/llm"

// EffortOf is the effort asked for. A budget of tokens becomes the effort that
// comes nearest: up to 2,048 low, up to 12,288 medium, beyond high.
func EffortOf(r *llm.Reasoning) llm.Escaped {
	switch {
	case r == nil:
		return nil
	case r.Off:
		return llm.Escaped("none")
	case len(r.Effort) > 0:
		return r.Effort
	case r.Budget <= 0:
		return nil
	case r.Budget <= 2048:
		return llm.Escaped("low")
	case r.Budget <= 12288:
		return llm.Escaped("medium")
	}
	return llm.Escaped("high")
}
