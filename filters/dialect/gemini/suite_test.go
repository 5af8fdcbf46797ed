package gemini_test

import (
	"testing"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/gemini"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
)

var codec = gemini.Generate()

var limits = dialect.Limits{Event: 1 << 20, Depth: 64}

func suite(t testing.TB) dialecttest.Suite {
	return dialecttest.Suite{
		API:     codec,
		Grammar: func(*llm.Facts) grammar.Grammar { return grammar.Gemini() },
		Target:  dialect.Target{Model: "gemini-2.5-flash"},
		Normal:  normal,
		Answer:  func(a *llm.Answer) { a.Created = 0 },
		Events:  pieces,
		Streams: dialecttest.Archive(t, "testdata/streams.txtar"),
	}
}

// normal is a request as the dialect gives it back: instructions first, turns of
// a side as one, without what the API lacks.
func normal(r *llm.Request) {
	r.Model, r.Stream = "", false // the path has them
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
			p := &m.Parts[i]
			if p.Kind == llm.ImagePart && p.Media.URL != nil {
				p.Media.Type = llm.Escaped("image/png")
			}
			p.Media.Name = nil
		}
		if n := len(turns); n > 0 && turns[n-1].Role == m.Role {
			turns[n-1].Parts = append(turns[n-1].Parts, m.Parts...)
		} else {
			turns = append(turns, m)
		}
	}
	r.Messages = append(system, turns...)
	r.User, r.ToolChoice.Parallel = "", nil
	if r.Format != nil {
		r.Format.Name = nil
	}
	if r.Reasoning != nil {
		r.Reasoning = &llm.Reasoning{Budget: 24576}
	}
}

// pieces is a stream as the dialect gives it back: without its time, calls whole.
func pieces(list []llm.Event) []llm.Event {
	var out []llm.Event
	for i, ev := range list {
		ev.Created = 0
		if n := len(out) - 1; i > 0 && ev.Kind == llm.Delta && ev.Part == llm.ToolCallPart && out[n].Kind == llm.Delta {
			out[n].Text = append(out[n].Text[:len(out[n].Text):len(out[n].Text)], ev.Text...)
			continue
		}
		out = append(out, ev)
	}
	return out
}

func TestSuite(t *testing.T) { suite(t).Run(t) }
