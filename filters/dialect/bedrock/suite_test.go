package bedrock

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
)

var limits = dialect.Limits{Event: 1 << 20}

// framed makes an event stream of lines "eventType payload" or "exception type payload".
func framed(t testing.TB, lines string) []byte {
	var w eventstream.Writer
	for line := range strings.Lines(lines) {
		kind, name, payload := "event", "", ""
		name, payload, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if name == "exception" {
			kind = name
			name, payload, _ = strings.Cut(payload, " ")
		}
		require.NotEmpty(t, payload)
		w.Begin()
		w.Text(":"+kind+"-type", name)
		w.Text(":content-type", "application/json")
		w.Text(":message-type", kind)
		w.Body()
		w.B = append(w.B, payload...)
		w.End()
	}
	return w.B
}

func streams(t testing.TB, path string) map[string][]byte {
	all := dialecttest.Archive(t, path)
	for name, lines := range all {
		all[name] = framed(t, string(lines))
	}
	return all
}

func suite(t testing.TB) dialecttest.Suite {
	return dialecttest.Suite{
		API:     Converse(),
		Grammar: func(*llm.Facts) grammar.Grammar { return grammar.Converse() },
		Frames:  grammar.EventStream,
		Call: func(f *llm.Facts) dialect.Call {
			return dialect.Call{Operation: llm.Chat, Model: f.Model, Stream: f.Stream}
		},
		Target:  dialect.Target{Model: "us.anthropic.claude-opus-4-6-v1"},
		Refused: []string{"images", "many"},
		Normal:  normal,
		Answer: func(a *llm.Answer) {
			a.ID, a.Model, a.Created = nil, nil, 0
			a.Usage.Output, a.Usage.Reasoning = a.Usage.OutputTotal(), 0
		},
		Events: func(list []llm.Event) []llm.Event {
			list = append([]llm.Event(nil), list...)
			list[0] = llm.Event{Kind: llm.Start}
			return list
		},
		Streams: streams(t, "testdata/streams.txtar"),
	}
}

// normal is a request as the dialect gives it back: instructions first, turns of
// a side as one, without what the API lacks.
func normal(r *llm.Request) {
	var system, turns []llm.Message
	for _, m := range r.Messages {
		switch m.Role {
		case llm.System, llm.Developer:
			if system == nil {
				system = []llm.Message{{Role: llm.System}}
			}
			system[0].Parts = append(system[0].Parts, m.Parts...)
			continue
		case llm.ToolRole:
			m.Role = llm.User
		}
		for i := range m.Parts {
			if m.Parts[i].Media.Name != nil {
				m.Parts[i].Media.Name = llm.Escaped("a-pdf")
			}
		}
		if n := len(turns); n > 0 && turns[n-1].Role == m.Role {
			turns[n-1].Parts = append(turns[n-1].Parts, m.Parts...)
		} else {
			turns = append(turns, m)
		}
	}
	r.Messages = append(system, turns...)
	r.Sampling.Seed, r.User, r.ToolChoice.Parallel = "", "", nil
	r.WantsUsage = true
}

func TestSuite(t *testing.T) { suite(t).Run(t) }

func FuzzJunk(f *testing.F) {
	s := suite(f)
	for _, stream := range s.Streams {
		f.Add(stream)
	}
	f.Add([]byte(`{"output":{"message":{"role":"assistant","content":[{"text":"a"}]}},"stopReason":"end_turn","usage":{"inputTokens":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) { s.Junk(t, data) })
}
