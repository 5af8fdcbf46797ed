package thinking

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/llm"
)

func TestByBudget(t *testing.T) {
	for model, want := range map[string]bool{
		"claude-3-7-sonnet-latest": true, "us.anthropic.claude-sonnet-4-20250514-v1:0": true, "claude-opus-4@20250514": true,
		"claude-haiku-4-5": true, "us.anthropic.claude-opus-4-6-v1": false, "claude-sonnet-5": false, "": false,
	} {
		require.Equal(t, want, ByBudget(model), model)
	}
}

func TestBudget(t *testing.T) {
	for _, c := range []struct {
		effort        string
		budget, limit int
		want          int
	}{
		{"high", 0, 100_000, 16384}, {"minimal", 0, 100_000, 1024}, {"own", 0, 100_000, 16384}, {"low", 0, 3000, 1500},
		{"high", 0, 2000, 0}, {"", 500, 100_000, 1024}, {"low", 9000, 100_000, 9000},
	} {
		require.Equal(t, c.want, Budget(&llm.Reasoning{Effort: llm.Escaped(c.effort), Budget: c.budget}, c.limit), c)
	}
}

func TestEffort(t *testing.T) {
	for _, c := range []struct {
		effort string
		budget int
		want   string
	}{
		{"minimal", 0, "low"}, {"high", 0, "high"}, {"own", 0, "own"}, {"", 8192, "medium"}, {"", 1, "low"}, {"", 1 << 20, "max"},
	} {
		require.Equal(t, c.want, string(Effort(&llm.Reasoning{Effort: llm.Escaped(c.effort), Budget: c.budget})), c)
	}
}

func TestLostAndForced(t *testing.T) {
	call := llm.Part{Kind: llm.ToolCallPart}
	signed := llm.Part{Kind: llm.ReasoningPart, Signature: llm.Escaped("s")}
	turn := func(parts ...llm.Part) []llm.Message {
		return []llm.Message{{Role: llm.User}, {Role: llm.Assistant, Parts: parts}, {Role: llm.ToolRole}}
	}
	require.True(t, Lost(turn(call)))
	require.False(t, Lost(turn(signed, call)))
	require.False(t, Lost(turn()))
	require.False(t, Lost(nil))

	r := llm.Request{ToolChoice: llm.ToolChoice{Mode: llm.ToolsRequired}}
	require.False(t, Forced(&r))
	r.Tools = []llm.Tool{{}}
	require.True(t, Forced(&r))
}
