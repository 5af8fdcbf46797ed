package responses_test

import (
	"testing"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/dialect/openai/responses"
	"github.com/posterngw/postern/filters/llm"
)

var (
	codec  = responses.API()
	limits = dialect.Limits{Event: 1 << 20, Depth: 64}
)

func suite(t testing.TB) dialecttest.Suite {
	return dialecttest.Suite{
		API:     codec,
		Grammar: func(*llm.Facts) grammar.Grammar { return grammar.Responses() },
		Target:  dialect.Target{Model: "gpt-5-mini"},
		Refused: []string{"many"},
		Streams: dialecttest.Archive(t, "testdata/streams.txtar"),
		Normal: func(r *llm.Request) {
			r.WantsUsage = true
			r.Stop, r.Sampling.Seed = nil, "" // the API has neither
		},
		Answer: func(a *llm.Answer) {
			a.ID = append(llm.Escaped("resp_"), a.ID...)
		},
		Events: func(events []llm.Event) []llm.Event {
			// Calls are done at the end, since their pieces may be mixed.
			var all, stops []llm.Event
			for _, e := range events {
				switch {
				case e.Kind == llm.Start:
					e.ID = append(llm.Escaped("resp_"), e.ID...)
				case e.Kind == llm.BlockStop && e.Part == llm.ToolCallPart:
					stops = append(stops, e)
					continue
				case e.Kind == llm.FinishEvent:
					all = append(all, stops...)
				}
				all = append(all, e)
			}
			return all
		},
	}
}

func TestSuite(t *testing.T) { suite(t).Run(t) }
