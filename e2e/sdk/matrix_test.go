package sdk

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
)

// patience bounds a question on a machine that does other things besides.
const patience = 60 * time.Second

// clients are the official ones.
var clients = []sdk{
	{language: "go", name: "chat", make: newChatCompletions, kinds: openaiKinds, waits: true},
	{language: "go", name: "responses", make: newResponses, kinds: openaiKinds, waits: true},
	{language: "go", name: "anthropic", make: newMessages, kinds: anthropicKinds, waits: true},
	{language: "go", name: "gemini", make: newGenerateContent, kinds: geminiKinds},
	{language: "go", name: "converse", make: newConverse, kinds: bedrockKinds, waits: true, needs: plainBearer},
	{language: "go", name: "invoke", make: newInvoke, kinds: bedrockKinds, waits: true, needs: plainBearer},
	{language: "go", name: "cohere", make: newCohere, kinds: cohereKinds, needs: cohereNeeds},
	inPython(sdk{name: "chat", kinds: pythonKinds(openaiKinds), waits: true}),
	inPython(sdk{name: "responses", kinds: pythonKinds(openaiKinds), waits: true}),
	inPython(sdk{name: "anthropic", kinds: pythonKinds(anthropicKinds), waits: true}),
	inPython(sdk{name: "gemini", kinds: pythonGeminiKinds}),
	inPython(sdk{name: "converse", kinds: bedrockKinds, waits: true, needs: plainBearer}),
	inPython(sdk{name: "invoke", kinds: bedrockKinds, waits: true, needs: plainBearer}),
}

// plainBearer is what AWS's clients need in front of a gateway without TLS.
const plainBearer = "a bearer token is sent without TLS, which the client refuses by itself"

// TestMatrix asks every provider through every client.
func TestMatrix(t *testing.T) {
	for _, s := range clients {
		for _, p := range shared.providers {
			for _, c := range columns() {
				t.Run(s.language+"/"+s.name+"/"+p.name+"/"+c.name, func(t *testing.T) {
					t.Parallel()
					x := &cell{T: t, sdk: s, provider: p, column: c}
					t.Cleanup(func() { shared.matrix.set(s.language+" "+s.name, p.name, c.name, x.outcome()) })
					x.run()
				})
			}
		}
	}
}

// cell is one test of the matrix.
type cell struct {
	*testing.T
	sdk      sdk
	provider *provider
	column   column
	watch    *watch
	asked    client // that the watch belongs to
	none     bool   // the client lacks the API
	refused  bool   // as it must be
}

func (x *cell) run() {
	r, ok := refusals[place{x.sdk.name, x.provider.name, x.column.name}]
	if !ok {
		x.column.check(x)
		return
	}
	require.NotNil(x, x.column.ask, "this column cannot be refused")
	x.failsAs("refused", x.column.ask(x, x.client(0)))
	require.Empty(x, x.provider.server.Of(x.id()), "it is refused because: %s", r)
	x.refused = true
}

// client is the cell's client, whose attempts ask the mock for behaviours.
func (x *cell) client(retries int, behaviours ...string) client {
	return x.clientWith(shared.key, retries, behaviours...)
}

func (x *cell) clientWith(key string, retries int, behaviours ...string) client {
	x.watch = &watch{base: http.DefaultTransport, behaviours: behaviours}
	x.asked = x.sdk.make(access{shared.envoy.URL, key, x.watch, retries})
	return x.asked
}

func (x *cell) context() context.Context {
	ctx, cancel := context.WithTimeout(x.Context(), patience)
	x.Cleanup(cancel)
	return ctx
}

// id is that of the last request.
func (x *cell) id() string {
	all := x.watch.attempts()
	require.NotEmpty(x, all, "nothing was sent")
	id := all[len(all)-1].id
	require.NotEmpty(x, id, "the answer has no x-request-id")
	return id
}

// failsAs checks an error: the client's own type, and what it says.
func (x *cell) failsAs(kind string, err error) {
	x.Helper()
	require.Error(x, err)
	got, ok := x.asked.Fault(err)
	require.True(x, ok, "not the client's own error: %T %v", err, err)
	require.Equal(x, x.sdk.kinds[kind], got, "%s: %v", kind, err)
}

// audit is the record of the last request.
func (x *cell) audit() *envoytest.Record {
	r, err := shared.envoy.Audit(x.id())
	require.NoError(x, err)
	return r
}

// accounted checks that what the client is told and what the record says is
// what the provider reported. A client without usage tells -1.
func (x *cell) accounted(in, out int64) {
	x.Helper()
	seen, reported := x.provider.billed(x, x.id())
	r := x.audit()
	require.Equal(x, "complete", r.End)
	if !reported { // as by Gemini for vectors
		require.True(x, r.Usage.Estimated && r.Usage.InputTotal() > 0, "usage %+v", r.Usage)
		return
	}
	require.True(x, r.Usage.Known && !r.Usage.Estimated && !r.Usage.Partial, "usage %+v", r.Usage)
	require.EqualValues(x, seen.Input, r.Usage.InputTotal(), "input tokens of the record")
	require.EqualValues(x, seen.Output, r.Usage.OutputTotal(), "output tokens of the record")
	if in >= 0 {
		require.EqualValues(x, seen.Input, in, "input tokens at the client")
	}
	if out >= 0 {
		require.EqualValues(x, seen.Output, out, "output tokens at the client")
	}
}

// outcome is the mark of the cell.
func (x *cell) outcome() string {
	switch {
	case x.Failed():
		return "FAILED"
	case x.refused:
		return "refused"
	case x.none:
		return "–"
	}
	return "passed"
}

// matrix is what came of the cells.
type matrix struct {
	mu    sync.Mutex
	cells map[string]map[string]map[string]string // client, provider, column
}

func (m *matrix) set(client, provider, column, outcome string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells == nil {
		m.cells = map[string]map[string]map[string]string{}
	}
	if m.cells[client] == nil {
		m.cells[client] = map[string]map[string]string{}
	}
	if m.cells[client][provider] == nil {
		m.cells[client][provider] = map[string]string{}
	}
	m.cells[client][provider][column] = outcome
}

// String is the matrix as a table, and the reasons of what was refused.
func (m *matrix) String() string {
	var b strings.Builder
	total := map[string]int{}
	fmt.Fprintf(&b, "%-18s%-11s", "client", "provider")
	for _, c := range columns() {
		fmt.Fprintf(&b, "%-9s", c.name)
	}
	for _, client := range slices.Sorted(maps.Keys(m.cells)) {
		for _, p := range shared.providers {
			fmt.Fprintf(&b, "\n%-18s%-11s", client, p.name)
			for _, c := range columns() {
				outcome := m.cells[client][p.name][c.name]
				total[outcome]++
				fmt.Fprintf(&b, "%-9s", outcome)
			}
		}
	}
	b.WriteByte('\n')
	for _, why := range slices.Compact(slices.Sorted(maps.Values(refusals))) {
		fmt.Fprintf(&b, "refused: %s\n", why)
	}
	for _, c := range clients {
		if c.needs != "" {
			fmt.Fprintf(&b, "%s %s: %s\n", c.language, c.name, c.needs)
		}
	}
	fmt.Fprintf(&b, "%d passed, %d refused, %d failed\n", total["passed"], total["refused"], total["FAILED"])
	return b.String()
}
