package envoy

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The metrics of the GenAI conventions, as Prometheus sees them: with labels,
// and with the rendered buckets.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	require.Nil(t, ask(t, say("gpt", "x")).err)
	got, _ := stream(t, say("claude", "x"))
	require.Nil(t, got.err)
	require.Equal(t, 403, ask(t, say("forbidden", "x")).err.StatusCode)
	require.Nil(t, ask(t, say("first-503", "x")).err)
	wanted := []string{
		`postern_gen_ai_client_token_usage_bucket{gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt",gen_ai_response_model="gpt-4.1",gen_ai_token_type="input",le="64"} \d+`,
		`postern_gen_ai_client_token_usage_count{[^}]*gen_ai_provider_name="anthropic"[^}]*gen_ai_token_type="output"[^}]*} [1-9]`,
		`postern_gen_ai_client_operation_duration_milliseconds_bucket{[^}]*le="81920"} [1-9]`,
		`postern_gen_ai_client_operation_time_to_first_chunk_milliseconds_count{[^}]*gen_ai_request_model="claude"[^}]*} [1-9]`,
		`postern_tokens{[^}]*gen_ai_request_model="gpt"[^}]*gen_ai_token_type="output"[^}]*} [1-9]`,
		`postern_requests{[^}]*status="2xx"[^}]*} [1-9]`,
		`postern_decisions{decision="[a-z]+",policy="no-forbidden"} [1-9]`,
		`postern_errors{class="policy",source="postern"} [1-9]`,
		`postern_attempts{class="overloaded",target="a/503"} [1-9]`,
		`postern_retries{target="b/503"} [1-9]`,
		`postern_cost_micros{[^}]*currency="USD"[^}]*} [1-9]`,
		`postern_memory_high_water_bytes{} [1-9]`,
	}
	var text string
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		var err error
		text, err = shared.envoy.Admin("/stats/prometheus?filter=postern")
		require.NoError(c, err)
		for _, w := range wanted {
			require.True(c, regexp.MustCompile(`(?m)^`+w).MatchString(text), "%s\nis not in\n%s", w, sample(text, w))
		}
	}, patience, 200*time.Millisecond)
	require.NotContains(t, text, "wasmcustom")
	require.NotContains(t, text, ";", "every label was taken out of its name")
}

// sample are the lines of the metric that an expression is about.
func sample(text, expression string) string {
	name, _, _ := strings.Cut(expression, "{")
	var lines []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, name) && len(lines) < 20 {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
