package envoy

import (
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"
)

// A client that knows the gateway's own headers gains nothing by them.
func TestForgedHeaders(t *testing.T) {
	t.Parallel()
	forged := []option.RequestOption{
		option.WithHeader("x-envoy-attempt-count", "1"),
		option.WithHeader("x-envoy-max-retries", "7"),
		option.WithHeader("x-envoy-retry-on", "5xx"),
		option.WithHeader("x-envoy-upstream-rq-timeout-ms", "1"),
		option.WithHeader("x-envoy-upstream-rq-per-try-timeout-ms", "1"),
		option.WithHeader("x-envoy-original-path", "/v1/embeddings"),
		option.WithHeader("x-postern-key", "1.1"),
		option.WithHeader("x-postern-t1", "nobody"),
		option.WithHeader("x-postern-retry", "1"),
		option.WithHeader("x-postern-user", "root"),
	}
	got := ask(t, say("first-503", "sally port"), forged...)
	require.Nil(t, got.err)
	secondServed(t, "first-503", "overloaded", got)

	got = ask(t, say("both-503", "x"), forged...)
	require.NotNil(t, got.err)
	require.Len(t, shared.openai.Of(got.id), 1, "one attempt at each target")
	require.Len(t, shared.spare.Of(got.id), 1)
	clean(t, got)

	got = ask(t, say("gpt", "sally port"), forged...)
	require.Nil(t, got.err)
	seen := shared.openai.Of(got.id)
	require.Len(t, seen, 1)
	for name := range seen[0].Header {
		require.False(t, strings.HasPrefix(strings.ToLower(name), "x-postern-"), "header %s reached the provider", name)
	}
	require.Equal(t, "alice", audit(t, got.id).Principal.Key)
}

// What a client authenticates itself with does not leave the gateway.
func TestCredentialsStay(t *testing.T) {
	t.Parallel()
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			got := ask(t, say(s.model, "x"), option.WithHeader("x-api-key", "client-x-api-key"), option.WithHeader("api-key", "client-api-key"),
				option.WithHeader("cookie", "session=client-cookie"), option.WithHeader("proxy-authorization", "Basic client"))
			require.Nil(t, got.err)
			seen := s.provider.Of(got.id)
			require.Len(t, seen, 1)
			for name, values := range seen[0].Header {
				all := strings.Join(values, " ")
				require.NotContains(t, all, "client", "header %s", name)
				require.NotContains(t, all, shared.keys["alice"], "header %s", name)
			}
		})
	}
}

// A trace goes on through the gateway, with a span of its own.
func TestTraceContext(t *testing.T) {
	t.Parallel()
	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	got := ask(t, say("gpt", "x"), option.WithHeader("traceparent", "00-"+trace+"-"+parent+"-01"))
	require.Nil(t, got.err)
	seen := shared.openai.Of(got.id)
	require.Len(t, seen, 1)
	onward := seen[0].Header.Get("traceparent")
	require.True(t, strings.HasPrefix(onward, "00-"+trace+"-"), onward)
	require.NotContains(t, onward, parent)
}

// The same over HTTP/2 without TLS, many streams on one connection.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	h2 := option.WithHTTPClient(overHTTP2(t))
	for _, s := range sides() {
		got := ask(t, say(s.model, "sally port"), h2)
		require.Nil(t, got.err)
		require.Equal(t, 2, got.res.ProtoMajor)
		accounted(t, s, got, &got.answer.Usage)
		got, _ = stream(t, say(s.model, "sally port"), h2)
		require.Nil(t, got.err)
		require.Nil(t, got.broke)
		require.Equal(t, 2, got.res.ProtoMajor)
		accounted(t, s, got, nil)
	}
	got := ask(t, say("forbidden", "x"), h2)
	require.NotNil(t, got.err)
	require.Equal(t, 403, got.err.StatusCode)
}

// One connection carries request after request, refused ones in between.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	transport := &http.Transport{MaxConnsPerHost: 1}
	t.Cleanup(transport.CloseIdleConnections)
	one := option.WithHTTPClient(&http.Client{Transport: transport})
	for range 5 {
		require.Nil(t, ask(t, say("gpt", "x"), one).err)
		require.Equal(t, 403, ask(t, say("forbidden", "x"), one).err.StatusCode)
		got, _ := stream(t, say("claude", "x"), one)
		require.Nil(t, got.err)
		require.Nil(t, got.broke)
		require.Equal(t, 502, ask(t, say("gpt", "x"), one, behave("html")).err.StatusCode)
	}
}
