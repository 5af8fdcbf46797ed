package istio

import (
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/render"
)

func ask(model string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Say hello.")}}
}

// TestNative has both stages put into the gateway by an EnvoyFilter.
func TestNative(t *testing.T) {
	start(t, "native", nil).serves(t)
}

// TestGatewayAPI is the same with a Gateway and routes of Kubernetes.
func TestGatewayAPI(t *testing.T) {
	start(t, "native", func(o *render.IstioOptions) { o.Gateway.API = "kubernetes" }).serves(t)
}

// TestPaired has two plugins of one image instead of the EnvoyFilter.
func TestPaired(t *testing.T) {
	w := start(t, "paired", nil)
	w.answers(t)
}

// serves is what both stages in a gateway do.
func (w *world) serves(t *testing.T) {
	w.answers(t)
	t.Run("audited", w.audited) // plugins alone put no record into a log of the gateway's
}

func (w *world) answers(t *testing.T) {
	t.Run("whole", w.whole)
	t.Run("streamed", w.streamed)
	t.Run("failover", w.failover)
	t.Run("errors", w.errors)
	t.Run("headers", w.headers)
	bad, err := w.envoy.Failures()
	require.NoError(t, err)
	require.Empty(t, bad)
}

func (w *world) whole(t *testing.T) {
	client := w.client()
	for _, model := range []string{"gpt", "claude"} {
		got, err := client.Chat.Completions.New(t.Context(), ask(model))
		require.NoError(t, err, model)
		require.NotEmpty(t, got.Choices[0].Message.Content)
		require.Positive(t, got.Usage.CompletionTokens)
	}
}

func (w *world) streamed(t *testing.T) {
	client := w.client()
	for _, model := range []string{"gpt", "claude"} {
		w.stream(t, &client, model)
	}
}

func (w *world) stream(t *testing.T, client *openai.Client, model string) {
	t.Helper()
	stream := client.Chat.Completions.NewStreaming(t.Context(), ask(model))
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		all.AddChunk(stream.Current())
	}
	require.NoError(t, stream.Err(), model)
	require.NotEmpty(t, all.Choices[0].Message.Content)
	require.Equal(t, "stop", all.Choices[0].FinishReason)
}

// failover goes on to a provider of another dialect.
func (w *world) failover(t *testing.T) {
	client := w.client()
	for _, model := range []string{"spare", "overloaded"} {
		got, err := client.Chat.Completions.New(t.Context(), ask(model))
		require.NoError(t, err, model)
		require.NotEmpty(t, got.Choices[0].Message.Content)
		w.stream(t, &client, model)
	}
}

// errors arrive as the client's own.
func (w *world) errors(t *testing.T) {
	for _, tt := range []struct {
		name, model string
		options     []option.RequestOption
		status      int
	}{
		{"wrong key", "gpt", []option.RequestOption{option.WithAPIKey("alice.wrong")}, 401},
		{"denied model", "closed", nil, 403},
		{"unknown model", "nothing", nil, 404},
		{"another's certificate", "wrong", nil, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := w.client(tt.options...)
			_, err := client.Chat.Completions.New(t.Context(), ask(tt.model))
			var failed *openai.Error
			require.ErrorAs(t, err, &failed)
			require.Equal(t, tt.status, failed.StatusCode)
			require.NotEmpty(t, failed.Message)
		})
	}
}

// theRouters are headers that the gateway's router writes for providers: the
// number of the attempt, which chooses the next one's cluster, and its deadline; and
// the name that a rewritten one replaced, which is the gateway's own. A callout is
// said to be internal.
var theRouters = []string{"X-Envoy-Attempt-Count", "X-Envoy-Expected-Rq-Timeout-Ms", "X-Envoy-Original-Host", "X-Envoy-Internal"}

// headers that a client sends for the gateway gain nothing, and none of the
// mesh's reaches a provider.
func (w *world) headers(t *testing.T) {
	before := len(w.openai.Requests())
	client := w.client(option.WithHeader("x-envoy-attempt-count", "1"), option.WithHeader("x-envoy-max-retries", "9"),
		option.WithHeader("x-postern-target", "dead"), option.WithHeader("x-envoy-decorator-operation", "mine"))
	_, err := client.Chat.Completions.New(t.Context(), ask("overloaded"))
	require.NoError(t, err)
	seen := w.openai.Requests()[before:]
	require.Len(t, seen, 1, "the first target was asked first, and once")
	for _, r := range append(seen, w.anthropic.Requests()...) {
		for _, name := range theRouters {
			r.Header.Del(name)
		}
		for name := range r.Header {
			assert.NotRegexp(t, "(?i)^x-(envoy|postern)", name)
		}
	}
}

// audited requests leave one record each.
func (w *world) audited(t *testing.T) {
	client := w.client()
	var res *http.Response
	got, err := client.Chat.Completions.New(t.Context(), ask("spare"), option.WithResponseInto(&res))
	require.NoError(t, err)
	record, err := w.envoy.Audit(res.Header.Get("x-request-id"))
	require.NoError(t, err)
	require.Equal(t, "spare", record.Model)
	require.Equal(t, got.Usage.CompletionTokens, record.Usage.OutputTotal())
}
