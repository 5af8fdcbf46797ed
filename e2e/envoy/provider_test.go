package envoy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProviderErrors: what a provider answers in place of a completion arrives
// in the client's dialect, as the official client's typed error.
func TestProviderErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behaviour string
		status    int
		typ       string
		class     string // of the audit record
		after     string // retry-after
	}{
		"bad request":          {"400", 400, "invalid_request_error", "client", ""},
		"our key is refused":   {"401", 502, "server_error", "auth", ""},
		"rate limit":           {"rate-limit=7", 429, "requests", "rate_limited", "7"},
		"quota":                {"quota", 429, "insufficient_quota", "quota_exhausted", ""},
		"context length":       {"context-length", 400, "invalid_request_error", "context_length", ""},
		"internal error":       {"500", 502, "server_error", "provider", ""},
		"overloaded":           {"529", 503, "server_error", "overloaded", ""},
		"HTML with 200":        {"html", 502, "server_error", "malformed", ""},
		"HTML with 502":        {"html=502", 502, "server_error", "provider", ""},
		"empty body":           {"empty-body", 502, "server_error", "malformed", ""},
		"JSON that breaks off": {"malformed", 502, "server_error", "malformed", ""},
		"reset":                {"reset-before-headers", 503, "server_error", "provider", ""},
		"close":                {"close-after-request", 503, "server_error", "provider", ""},
	} {
		for _, s := range sides() {
			t.Run(s.model+"/"+name, func(t *testing.T) {
				t.Parallel()
				got := ask(t, say(s.model, "x"), behave(c.behaviour))
				require.NotNil(t, got.err, "answer %+v", got.answer)
				raw := got.err.RawJSON()
				require.Equal(t, c.status, got.err.StatusCode, raw)
				require.Equal(t, c.typ, got.err.Type, raw)
				require.Equal(t, c.after, got.res.Header.Get("retry-after"))
				require.NotContains(t, raw, "<html", "no provider's page reaches the client")
				r := audit(t, got.id)
				require.Equal(t, c.class, r.Error.Class, "record %+v", r)
				require.Len(t, r.Attempts, 1)
				require.Len(t, s.provider.Of(got.id), 1, "attempts that reached the provider")
			})
		}
	}
}

func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	got := ask(t, say("unreachable", "x"))
	require.NotNil(t, got.err)
	require.Equal(t, 503, got.err.StatusCode)
	require.Equal(t, "server_error", got.err.Type)
	require.Equal(t, "upstream_unavailable", got.err.Code)
}

// A provider that never answers: the attempt's deadline ends it, in the
// client's dialect.
func TestDeadline(t *testing.T) {
	t.Parallel()
	got := ask(t, say("impatient", "x"))
	require.NotNil(t, got.err)
	require.Equal(t, 504, got.err.StatusCode)
	require.Equal(t, "server_error", got.err.Type)
	require.Equal(t, "upstream_timeout", got.err.Code)
	r := audit(t, got.id)
	require.Equal(t, "timeout", r.End)
	require.Equal(t, "timeout", r.Error.Class)
	require.Len(t, shared.openai.Of(got.id), 1)
}

// Streams in spellings that the standards allow. Where both sides speak one
// dialect they pass as they are, and the official client reads no lone CR.
func TestStreamSpellings(t *testing.T) {
	t.Parallel()
	for _, behaviour := range []string{"crlf", "cr", "bom", "comments", "no-space", "multi-line", "pings", "unknown-events",
		"bytewise", "first=300ms", "slow=1ms, crlf", "tokens=500"} {
		for _, s := range sides() {
			if s.model == "gpt" && behaviour == "cr" {
				continue
			}
			t.Run(s.model+"/"+behaviour, func(t *testing.T) {
				t.Parallel()
				got, acc := stream(t, say(s.model, "sally port"), behave(behaviour))
				require.Nil(t, got.err)
				require.Nil(t, got.broke)
				require.Len(t, acc.Choices, 1)
				require.NotEmpty(t, acc.Choices[0].Message.Content)
				accounted(t, s, got, nil)
			})
		}
	}
}
