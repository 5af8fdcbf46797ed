package cohere_test

import (
	"testing"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/cohere"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
)

var limits = dialect.Limits{Event: 1 << 20, Depth: 64}

func suite(t testing.TB) dialecttest.Suite {
	return dialecttest.Suite{
		API:     cohere.Chat(),
		Grammar: func(*llm.Facts) grammar.Grammar { return grammar.Cohere() },
		Target:  dialect.Target{Model: "command-a-03-2025"},
		Refused: []string{"audio", "document", "many"},
		Streams: dialecttest.Archive(t, "testdata/streams.txtar"),
		Normal:  normal,
		Answer: func(a *llm.Answer) {
			a.Created, a.Model = 0, nil
			flat(&a.Usage)
		},
		Events: func(list []llm.Event) []llm.Event {
			list = append([]llm.Event(nil), list...)
			list[0].Created, list[0].Name = 0, nil
			return list
		},
	}
}

// flat is usage without what the API does not tell apart.
func flat(u *llm.Usage) { u.Output, u.Reasoning = u.Output+u.Reasoning, 0 }

// normal is a request as the dialect gives it back.
func normal(r *llm.Request) {
	for i := range r.Messages {
		if r.Messages[i].Role == llm.Developer {
			r.Messages[i].Role = llm.System
		}
	}
	r.User = ""
	c := &r.ToolChoice
	if c.Mode == llm.ToolNamed {
		*c = llm.ToolChoice{Mode: llm.ToolsRequired}
	}
	if c.Mode == llm.ToolsAuto {
		c.Mode = llm.ToolsDefault
	}
	if r.Format != nil {
		r.Format.Name = nil
	}
}

func TestSuite(t *testing.T) { suite(t).Run(t) }

// TestSuiteV1 checks the streams of version 1, whose requests are not translated.
func TestSuiteV1(t *testing.T) {
	var all []string
	for _, r := range dialecttest.Requests(llm.Chat) {
		all = append(all, r.Name)
	}
	for _, api := range []*dialect.API{cohere.ChatV1(), cohere.Generate()} {
		streams := dialecttest.Suite{
			Refused: all,
			API:     &dialect.API{Operation: llm.Complete, Provider: api.Provider, Same: api.Same},
			Streams: dialecttest.Archive(t, "testdata/lines.txtar"), Lines: true,
		}
		t.Run(api.Name, streams.Run)
	}
}

func TestSuiteVectors(t *testing.T) {
	for _, s := range []dialecttest.Suite{
		{API: cohere.Embed(), Refused: []string{"tokens"}},
		{API: cohere.EmbedV1(), Refused: []string{"tokens"}},
		{API: cohere.Rerank()},
		{API: cohere.RerankV1()},
	} {
		s.Target = dialect.Target{Model: "embed-v4.0"}
		s.Normal = func(r *llm.Request) {
			if r.Embed != nil && r.Embed.Task == nil {
				r.Embed.Task = llm.Escaped("search_document")
			}
		}
		s.Answer = func(a *llm.Answer) { a.Model = nil }
		t.Run(s.API.Name, s.Run)
	}
}
