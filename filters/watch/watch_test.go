package watch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/pipeline/pipelinetest"
	"github.com/posterngw/postern/filters/watch"
	"github.com/posterngw/postern/filters/wire/jsonx"
	hosttest "github.com/posterngw/postern/host-test"
)

// broken is a dialect with a mistake in it.
type broken struct {
	dialect.Client
	dialect.Same
	at string
}

func (b broken) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	if b.at == "request" {
		panic("a mistake")
	}
	return b.Client.Facts(c, doc)
}

func (b broken) Answer(e *jsonx.Edits, f *llm.Facts, body []byte, p *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	panic("a mistake")
}

func (b broken) NewTap(*llm.Facts, dialect.Limits, *dialect.Patch) dialect.Tap { panic("a mistake") }

const config = `{"version":1,"mode":"observe","limits":{"streams":3},"providers":{"one":{"dialect":"openai","url":"https://one.test/v1"}},` +
	`"models":{"m":{"targets":[{"provider":"one","model":"m"}]}}}`

// TestMistakes: a dialect that panics costs the record, and nothing else; and what
// was kept of the request is let go.
func TestMistakes(t *testing.T) {
	for _, at := range []string{"request", "answer"} {
		for _, kind := range []string{"application/json", "text/event-stream"} {
			chat := openai.Chat()
			chat.Client, chat.Same = broken{Client: chat.Client, at: at}, broken{}
			dialects := []*dialect.Dialect{{Name: "openai", APIs: []*dialect.API{chat}}}
			module := hosttest.NativeGuest(pipelinetest.Guest(func(vm host.VM) func() host.Plugin {
				m := watch.New(vm, dialects)
				return func() host.Plugin { return m.Plugin(nil) }
			}))
			h, err := hosttest.New(hosttest.Config{Profile: hosttest.IstioWasmPlugin(), Downstream: []hosttest.Filter{{Name: "p", Module: module, Config: []byte(config)}}})
			require.NoError(t, err)
			for range 5 { // more than there may be at once
				s := h.NewStream()
				s.RequestHeaders([][2]string{{":method", "POST"}, {":path", "/v1/chat/completions"}}, false)
				s.RequestBody([]byte(`{"model":"m"}`), true)
				a := s.Attempt()
				require.Equal(t, `{"model":"m"}`, a.Request().Body())
				a.ResponseHeaders([][2]string{{":status", "200"}, {"content-type", kind}}, false)
				a.ResponseBody([]byte("{}"), true)
				require.Equal(t, "{}", s.Response().Body())
				require.Equal(t, "200", s.Response().Status())
				record := s.AccessLog().FilterState["wasm.postern.audit"]
				require.Contains(t, record, `"end":"trap"`)
				require.NotContains(t, record, "unwatched")
			}
			require.NoError(t, h.Close())
		}
	}
}

// TestRefused: a configuration that says nothing of observing is no observer's.
func TestRefused(t *testing.T) {
	for _, text := range []string{`{}`, `{"mode":"native"}`, `[`, `{"mode":"observe","providers":{"a":{"dialect":"b","url":"https://c"}}}`,
		`{"mode":"observe","models":{"m":{"targets":[{"provider":"nobody","model":"m"}]}}}`} {
		module := hosttest.NativeGuest(pipelinetest.Guest(func(vm host.VM) func() host.Plugin {
			m := watch.New(vm, []*dialect.Dialect{openai.New()})
			return func() host.Plugin { return m.Plugin(nil) }
		}))
		_, err := hosttest.New(hosttest.Config{Downstream: []hosttest.Filter{{Name: "p", Module: module, Config: []byte(text)}}})
		require.Error(t, err, text)
	}
}
