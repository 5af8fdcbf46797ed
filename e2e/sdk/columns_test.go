package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
)

// column is one thing that every client does with every provider.
type column struct {
	name  string
	check func(*cell)
	// ask only asks, for what must be refused; nil where nothing may be.
	ask func(*cell, client) error
}

func columns() []column {
	return []column{
		{"chat", checkChat, nil},
		{"stream", checkStream, nil},
		{"tools", checkTools, asks(question{text: "What is the weather in Paris?", tool: true})},
		{"image", checkImage, asks(question{text: "What is this?", image: true})},
		{"schema", checkSchema, asks(question{text: "The weather in Paris?", schema: true})},
		{"embed", checkEmbed, askVectors},
		{"errors", checkErrors, nil},
		{"retries", checkRetries, nil},
		{"cancel", checkCancel, nil},
	}
}

// errNoAPI says that a client has no such call.
var errNoAPI = errors.New("the client has no such call")

func asks(q question) func(*cell, client) error {
	return func(x *cell, c client) error {
		q.model = x.provider.name
		_, err := c.Chat(x.context(), q)
		return err
	}
}

func (x *cell) question(text string) question { return question{model: x.provider.name, text: text} }

func checkChat(x *cell) {
	a, err := x.client(0).Chat(x.context(), x.question("What is a sally port?"))
	require.NoError(x, err)
	require.Contains(x, a.text, "sally port")
	require.Contains(x, []string{x.provider.name, ""}, a.model, "the client's name of the model, where the API tells it")
	require.NotEmpty(x, a.stop)
	x.accounted(a.in, a.out)
}

// checkStream compares the deltas with what the client makes of them, and with
// the answer that comes whole.
func checkStream(x *cell) {
	q := x.question("What is a sally port? Tell me in many words.")
	whole, err := x.client(0).Chat(x.context(), q)
	require.NoError(x, err)
	var deltas []string
	a, err := x.client(0).Stream(x.context(), q, func(s string) {
		if s != "" {
			deltas = append(deltas, s)
		}
	})
	require.NoError(x, err)
	require.Greater(x, len(deltas), 1, "it did not stream")
	require.Equal(x, strings.Join(deltas, ""), a.text)
	require.Equal(x, whole.text, a.text)
	require.Equal(x, whole.stop, a.stop)
	x.accounted(a.in, a.out)
	require.True(x, x.audit().Stream)
}

func checkTools(x *cell) {
	twice(x, client.Chat)
	twice(x, func(c client, ctx context.Context, q question) (answer, error) {
		return c.Stream(ctx, q, func(string) {})
	})
}

// twice is a call and, in the second turn, what the model makes of its result.
func twice(x *cell, ask func(client, context.Context, question) (answer, error)) {
	x.Helper()
	q := x.question("What is the weather in Paris?")
	q.tool = true
	a, err := ask(x.client(0), x.context(), q)
	require.NoError(x, err)
	require.Len(x, a.calls, 1)
	require.Equal(x, toolName, a.calls[0].name)
	args, err := object(a.calls[0].args)
	require.NoError(x, err)
	require.NotEmpty(x, args["city"], "arguments %s", a.calls[0].args)
	x.accounted(a.in, a.out)
	q.tool, q.turn = false, &turn{message: a.turn, calls: a.calls, result: "nineteen degrees and drizzle"}
	b, err := ask(x.client(0), x.context(), q)
	require.NoError(x, err)
	require.Contains(x, b.text, "drizzle")
	require.Empty(x, b.calls)
	x.accounted(b.in, b.out)
}

// object reads the JSON of an object.
func object(text string) (map[string]any, error) {
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("%w in %q", err, text)
	}
	return v, nil
}

func checkImage(x *cell) {
	q := x.question("What is in this picture?")
	q.image = true
	a, err := x.client(0).Chat(x.context(), q)
	require.NoError(x, err)
	require.NotEmpty(x, a.text)
	x.accounted(a.in, a.out)
	seen := x.provider.server.Of(x.id())
	body := strings.NewReplacer("-", "+", "_", "/").Replace(string(seen[0].Body)) // Google's client for Python writes base64 for URLs
	require.Contains(x, body, onePixel, "the picture at the provider")
}

func checkSchema(x *cell) {
	q := x.question("What is the weather in Paris?")
	q.schema = true
	a, err := x.client(0).Chat(x.context(), q)
	require.NoError(x, err)
	v, err := object(a.text)
	require.NoError(x, err)
	require.Len(x, v, 2)
	require.IsType(x, "", v["city"])
	require.IsType(x, 0.0, v["degrees"])
	x.accounted(a.in, a.out)
}

var embedded = []string{"a sally port", "a postern"}

func askVectors(x *cell, c client) error {
	_, err := c.Embed(x.context(), x.provider.vectors(), embedded)
	return err
}

func checkEmbed(x *cell) {
	v, err := x.client(0).Embed(x.context(), x.provider.vectors(), embedded)
	if x.none = errors.Is(err, errNoAPI); x.none {
		return
	}
	require.NoError(x, err)
	require.Len(x, v.floats, len(embedded))
	require.NotEmpty(x, v.floats[0])
	require.NotEqual(x, v.floats[0], v.floats[1])
	x.accounted(v.in, -1)
}

// checkErrors asks whole and streamed for what must fail.
func checkErrors(x *cell) {
	wrong := strings.Repeat("A", 43)
	for _, c := range []struct{ kind, key, model, behaviour string }{
		{"wrong key", "alice." + wrong, x.provider.name, ""},
		{"unknown model", shared.key, "no-such-model", ""},
		{"denied", shared.key, x.provider.closed(), ""},
		{"rate limit", shared.key, x.provider.name, "rate-limit=7"},
		{"internal error", shared.key, x.provider.name, "500"},
	} {
		q := question{model: c.model, text: "x"}
		_, err := x.clientWith(c.key, 0, c.behaviour).Chat(x.context(), q)
		x.failsAs(c.kind, err)
		x.recorded(c.behaviour)
		_, err = x.clientWith(c.key, 0, c.behaviour).Stream(x.context(), q, func(string) {})
		x.failsAs(c.kind, err)
		x.recorded(c.behaviour)
	}
}

// recorded checks that the last request was asked of the provider, or not.
func (x *cell) recorded(behaviour string) {
	x.Helper()
	require.Len(x, x.watch.attempts(), 1, "requests of the client")
	want := 0
	if behaviour != "" {
		want = 1
	}
	require.Len(x, x.audit().Attempts, want, "attempts at the provider")
}

// checkRetries: the provider has no capacity, and the client's second attempt is
// served; after the pause that the provider asked for, with a client that obeys.
// Until then the gateway lets nothing through to the target.
func checkRetries(x *cell) {
	busy := "429"
	if x.sdk.waits {
		busy = "rate-limit=2"
	}
	a, err := x.client(1, busy).Chat(x.context(), question{model: x.provider.retried(&x.sdk), text: "sally port"})
	require.NoError(x, err)
	require.Contains(x, a.text, "sally port")
	tries := x.watch.attempts()
	require.Len(x, tries, 2)
	require.Equal(x, 429, tries[0].status)
	require.Equal(x, 200, tries[1].status)
	if x.sdk.waits {
		require.GreaterOrEqual(x, tries[1].at.Sub(tries[0].at), 2*time.Second, "the pause that the provider asked for")
	}
	x.accounted(a.in, a.out)
}

// checkCancel: a client that goes away in mid-stream; the provider is told.
func checkCancel(x *cell) {
	ctx, cancel := context.WithCancel(x.context())
	defer cancel()
	pieces := 0
	_, err := x.client(0, "tokens=64, slow=50ms").Stream(ctx, x.question("Tell me a story."), func(s string) {
		if s != "" {
			pieces++
		}
		if pieces == 3 {
			cancel()
		}
	})
	require.ErrorIs(x, err, context.Canceled)
	require.GreaterOrEqual(x, pieces, 3)
	r := x.audit()
	require.Equal(x, "client_abort", r.End)
	require.True(x, r.Usage.Partial && (r.Usage.Estimated || r.Usage.Known), "%+v", r.Usage)
	require.NotZero(x, r.Usage.OutputTotal())
	require.Eventually(x, func() bool {
		seen := x.provider.server.Of(r.RequestID)
		return len(seen) == 1 && seen[0].Outcome == mock.Aborted
	}, patience, 50*time.Millisecond, "the provider goes on generating")
}

// billed is the provider's own account of a request.
func (p *provider) billed(t testing.TB, id string) (u mock.Usage, reported bool) {
	t.Helper()
	// The client has its answer before the provider has sent the last line feed.
	require.Eventually(t, func() bool {
		seen := p.server.Of(id)
		return len(seen) > 0 && seen[0].Billed != nil
	}, 10*time.Second, 10*time.Millisecond, "the provider's own account")
	seen := p.server.Of(id)
	require.Len(t, seen, 1, "attempts that reached the provider")
	return *seen[0].Billed, seen[0].UsageReported
}
