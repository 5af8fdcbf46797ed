package envoy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
)

// TestFailover: what the first target does wrong, the second one makes good,
// and the client sees nothing of it.
func TestFailover(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		model  string
		stream bool
		whole  bool
		class  string // of the first attempt
	}{
		{"first-401", true, true, "auth"},
		{"first-429", true, true, "rate_limited"},
		{"first-503", true, true, "overloaded"},
		{"first-html", true, true, "malformed"},
		{"first-reset", true, true, "provider"},
		{"first-close", true, true, "provider"},
		{"first-hang", true, true, "timeout"},
		{"first-refuses", true, true, "provider"},
		{"first-claude-503", true, true, "overloaded"},
		// Streams that are 200 and fail before they say anything.
		{"first-error-event", true, false, "overloaded"},
		{"first-opens", true, false, "overloaded"},
		{"first-claude-opens", true, false, "overloaded"},
	} {
		t.Run(c.model, func(t *testing.T) {
			t.Parallel()
			if c.whole {
				got := ask(t, say(c.model, "sally port"))
				require.Nil(t, got.err)
				require.Contains(t, got.answer.Choices[0].Message.Content, "sally port")
				secondServed(t, c.model, c.class, got)
			}
			if c.stream {
				got, acc := stream(t, say(c.model, "sally port"))
				require.Nil(t, got.err)
				require.Nil(t, got.broke)
				require.Contains(t, acc.Choices[0].Message.Content, "sally port")
				secondServed(t, c.model, c.class, got)
			}
		})
	}
}

func secondServed(t *testing.T, model, class string, got told) {
	t.Helper()
	clean(t, got)
	r := audit(t, got.id)
	require.Equal(t, "complete", r.End)
	require.Equal(t, model, r.Model)
	require.Len(t, r.Attempts, 2, "record %+v", r)
	require.Equal(t, class, r.Attempts[0].Class, "record %+v", r)
	require.Equal(t, "", strings.TrimPrefix(r.Attempts[1].Class, "ok"))
	require.Equal(t, 200, r.Attempts[1].Status)
	seen := shared.spare.Of(got.id)
	require.Len(t, seen, 1, "attempts that reached the second provider")
	require.Equal(t, "Bearer sk-e2e-spare", seen[0].Header.Get("authorization"), "each provider gets its own key")
	require.Empty(t, seen[0].Header.Get("x-api-key"))
	require.Empty(t, seen[0].Header.Get("anthropic-version"))
	require.EqualValues(t, seen[0].Billed.Input, r.Usage.InputTotal())
	require.EqualValues(t, seen[0].Billed.Output, r.Usage.OutputTotal())
	require.Equal(t, r.Target, r.Attempts[1].Target)
}

// clean checks that nothing of the gateway's inner life reaches a client.
func clean(t *testing.T, got told) {
	t.Helper()
	require.NotNil(t, got.res)
	for name := range got.res.Header {
		switch name = strings.ToLower(name); name {
		case "x-postern-target", "x-postern-attempts", "x-postern-reason", "x-postern-loss", "x-postern-mode", "x-postern-degraded": // are for clients
			continue
		}
		require.False(t, strings.HasPrefix(name, "x-postern-") || strings.HasPrefix(name, "x-envoy-") || name == "set-cookie",
			"header %s reached the client", name)
	}
}

// From one dialect to another: the second attempt is written anew.
func TestFailoverToAnotherDialect(t *testing.T) {
	t.Parallel()
	check := func(got told) {
		require.Nil(t, got.err)
		clean(t, got)
		require.Len(t, shared.openai.Of(got.id), 1)
		seen := shared.anthropic.Of(got.id)
		require.Len(t, seen, 1)
		require.Equal(t, "/v1/messages", seen[0].Path)
		require.Equal(t, "sk-e2e-anthropic", seen[0].Header.Get("x-api-key"))
		require.Empty(t, seen[0].Header.Get("authorization"), "the first provider's key stays with it")
		r := audit(t, got.id)
		require.EqualValues(t, seen[0].Billed.Input, r.Usage.InputTotal())
		require.EqualValues(t, seen[0].Billed.Output, r.Usage.OutputTotal())
	}
	check(ask(t, say("then-claude", "sally port")))
	got, _ := stream(t, say("then-claude", "sally port"))
	check(got)
	check(ask(t, weather("then-claude")))
}

// After the first content nothing is tried again: the stream ends with a typed
// error.
func TestNoFailoverAfterContent(t *testing.T) {
	t.Parallel()
	got, acc := stream(t, say("breaks-later", "Tell me a long story about a sally port, please."))
	require.NotNil(t, got.broke, "answer %+v", acc)
	require.NotEmpty(t, acc.Choices[0].Message.Content)
	require.Empty(t, shared.spare.Of(got.id))
	require.Len(t, shared.openai.Of(got.id), 1)
	r := audit(t, got.id)
	require.Len(t, r.Attempts, 1)
	require.True(t, r.Usage.Estimated, "what was seen is counted: %+v", r.Usage)
}

// When every target failed, the last error answers; nobody is asked twice.
func TestExhaustedPlan(t *testing.T) {
	t.Parallel()
	check := func(got told, status int) *envoytest.Record {
		require.NotNil(t, got.err)
		require.Equal(t, status, got.err.StatusCode, got.err.RawJSON())
		clean(t, got)
		require.Len(t, shared.openai.Of(got.id), 1)
		require.Len(t, shared.spare.Of(got.id), 1)
		r := audit(t, got.id)
		require.Len(t, r.Attempts, 2)
		return r
	}
	got := ask(t, say("both-503", "x"))
	check(got, 503) // the two failed in different ways: one error says how
	require.Equal(t, "all_targets_failed", got.err.Code)
	require.Contains(t, got.err.Message, "overloaded, rate_limited")
	got, _ = stream(t, say("both-503", "x"))
	check(got, 503)
	check(ask(t, say("both-reset", "x")), 503)
}
