package envoy

import (
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/upstream"
)

// side is a target in one of the dialects.
type side struct {
	model    string
	provider *upstream.Server
	path     string
}

func sides() []side {
	return []side{
		{"gpt", shared.openai, "/v1/chat/completions"},
		{"claude", shared.anthropic, "/v1/messages"},
	}
}

// accounted checks that what the client was told and what the record says is
// what the provider reported.
func accounted(t *testing.T, s side, got told, usage *openai.CompletionUsage) {
	t.Helper()
	// The client has its answer before the provider has sent the last line feed.
	require.Eventually(t, func() bool {
		seen := s.provider.Of(got.id)
		return len(seen) > 0 && seen[0].Billed != nil
	}, 10*time.Second, 10*time.Millisecond, "the provider's own account")
	seen := s.provider.Of(got.id)
	require.Len(t, seen, 1, "attempts that reached the provider")
	require.Equal(t, s.path, seen[0].Path)
	billed := seen[0].Billed
	require.NotNil(t, billed)
	if usage != nil {
		require.EqualValues(t, billed.Input, usage.PromptTokens, "input tokens at the client")
		require.EqualValues(t, billed.Output, usage.CompletionTokens, "output tokens at the client")
		require.Equal(t, usage.PromptTokens+usage.CompletionTokens, usage.TotalTokens)
	}
	r := audit(t, got.id)
	require.Equal(t, "complete", r.End)
	require.Equal(t, 200, r.Status)
	require.Equal(t, s.model, r.Model)
	require.Equal(t, "alice", r.Principal.Key)
	require.True(t, r.Usage.Known, "usage %+v", r.Usage)
	require.False(t, r.Usage.Estimated || r.Usage.Partial, "usage %+v", r.Usage)
	require.EqualValues(t, billed.Input, r.Usage.InputTotal(), "input tokens of the record")
	require.EqualValues(t, billed.Output, r.Usage.OutputTotal(), "output tokens of the record")
	require.EqualValues(t, billed.CacheRead, r.Usage.CacheRead, "cached tokens of the record")
}

func TestWholeChat(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			got := ask(t, say(s.model, "What is a sally port?"))
			require.Nil(t, got.err)
			require.Equal(t, s.model, got.answer.Model, "the client's name of the model")
			require.Contains(t, got.answer.Choices[0].Message.Content, "sally port")
			require.Equal(t, "stop", got.answer.Choices[0].FinishReason)
			accounted(t, s, got, &got.answer.Usage)
		})
	}
}

func TestStreamedChat(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			got, acc := stream(t, say(s.model, "What is a sally port?"))
			require.Nil(t, got.err)
			require.Nil(t, got.broke)
			require.Contains(t, acc.Choices[0].Message.Content, "sally port")
			require.Equal(t, "stop", acc.Choices[0].FinishReason)
			require.Zero(t, acc.Usage.TotalTokens, "usage was not asked for")
			accounted(t, s, got, nil)
			require.True(t, audit(t, got.id).Stream)
		})
	}
}

func TestStreamedUsage(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			p := say(s.model, "How many tokens is this?")
			p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: param.NewOpt(true)}
			got, acc := stream(t, p, behave("cached"))
			require.Nil(t, got.err)
			require.Nil(t, got.broke)
			require.NotZero(t, acc.Usage.TotalTokens)
			accounted(t, s, got, &acc.Usage)
		})
	}
}

// Reasoning tokens are output tokens of a kind of their own.
func TestReasoningUsage(t *testing.T) {
	t.Parallel()
	got := ask(t, say("reason", "Why is a sally port narrow?"))
	require.Nil(t, got.err)
	seen := shared.openai.Of(got.id)
	require.Len(t, seen, 1)
	require.NotZero(t, seen[0].Billed.Reasoning)
	require.EqualValues(t, seen[0].Billed.Reasoning, got.answer.Usage.CompletionTokensDetails.ReasoningTokens)
	require.EqualValues(t, seen[0].Billed.Reasoning, audit(t, got.id).Usage.Reasoning)
	accounted(t, side{"reason", shared.openai, "/v1/chat/completions"}, got, &got.answer.Usage)
}
