package openai_test

import (
	"testing"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
)

func suite(t testing.TB) dialecttest.Suite {
	return dialecttest.Suite{
		API:     codec,
		Grammar: func(f *llm.Facts) grammar.Grammar { return grammar.OpenAI(f.WantsUsage) },
		Target:  dialect.Target{Model: "gpt-4o"},
		Streams: dialecttest.Archive(t, "testdata/streams.txtar"),
		Normal: func(r *llm.Request) {
			if r.Stream {
				r.WantsUsage = true
			}
		},
	}
}

func TestSuite(t *testing.T) { suite(t).Run(t) }
