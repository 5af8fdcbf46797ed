package dialecttest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

var update = flag.Bool("update", false, "write what the codecs give into the archives")

// TestTranslate goes through archives: what a client of one dialect sends and
// gets, and what the provider of the other gets and sends. The sections: target
// (model, flavour, bound), request and its translation or error, answer and its
// translation, stream and its translation.
func TestTranslate(t *testing.T) {
	paths, err := filepath.Glob("testdata/openai-anthropic/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			archive := txtar.Parse(raw)
			s := scene{client: openai.Chat().Client, provider: anthropic.Messages().Provider, facts: llm.Facts{Received: 1700000000, Choices: 1}}
			given := map[string][]byte{}
			for _, f := range archive.Files {
				given[f.Name] = f.Data
			}
			results := s.play(t, given)
			for i := range archive.Files {
				f := &archive.Files[i]
				got, ok := results[f.Name]
				if !ok {
					continue
				}
				if *update {
					f.Data = got
				}
				require.Equal(t, string(f.Data), string(got), f.Name)
				delete(results, f.Name)
			}
			require.Empty(t, results, "the archive lacks a section")
			if *update {
				require.NoError(t, os.WriteFile(path, txtar.Format(archive), 0o644))
			}
		})
	}
}

type scene struct {
	client   dialect.Client
	provider dialect.Provider
	facts    llm.Facts
}

// play translates what is given and returns the sections that come of it.
func (s *scene) play(t *testing.T, given map[string][]byte) map[string][]byte {
	results := map[string][]byte{}
	if body, ok := given["request"]; ok {
		out, err := s.request(t, body, string(given["target"]))
		if err != nil {
			results["error"] = []byte(err.Code + " " + err.Param + "\n" + err.Message + "\n")
		} else {
			results["request.out"] = pretty(t, out)
		}
	}
	if body, ok := given["answer"]; ok {
		a, err := s.provider.Decode(&s.facts, nil, body)
		require.Nil(t, err)
		results["answer.out"] = pretty(t, s.client.AppendAnswer(nil, &s.facts, "fast", a, nil))
	}
	if stream, ok := given["stream"]; ok {
		results["stream.out"] = s.stream(t, stream)
	}
	return results
}

func (s *scene) request(t *testing.T, body []byte, target string) ([]byte, *llm.Error) {
	doc, bad := jsonx.Scan(body, s.client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, err := s.client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
	require.Nil(t, err)
	s.facts.WantsUsage = f.WantsUsage
	r, err := s.client.Decode(f, &doc)
	if err != nil {
		return nil, err
	}
	words := append(strings.Fields(target), "", "", "")
	if words[0] == "" {
		words[0] = "claude-sonnet-5"
	}
	limit, _ := strconv.Atoi(words[2])
	return s.provider.Encode(nil, r, &dialect.Target{Model: words[0], Flavour: strings.Trim(words[1], "-"), MaxTokens: limit}, nil)
}

// stream translates a stream whole and cut, and checks its grammar.
func (s *scene) stream(t *testing.T, stream []byte) []byte {
	var out []byte
	dialecttest.OneCut(stream, func(chunks ...[]byte) {
		events := dialecttest.Decode(s.provider.NewDecoder(&s.facts, nil, dialect.Limits{Event: 1 << 20}), chunks...)
		require.NoError(t, dialecttest.CheckEvents(events))
		got := dialecttest.Encode(s.client.NewEncoder(&s.facts, "fast"), events)
		if last := events[len(events)-1]; last.Kind == llm.Failure {
			got = s.client.AppendStreamError(got, last.Err, "req-1")
		}
		if out == nil {
			out = got
			require.NoError(t, grammar.Check(grammar.OpenAI(s.facts.WantsUsage), out))
		}
		if !bytes.Equal(out, got) {
			require.Equal(t, string(out), string(got))
		}
	})
	return out
}

func pretty(t *testing.T, raw []byte) []byte {
	var b bytes.Buffer
	require.NoError(t, json.Indent(&b, raw, "", "  "), string(raw))
	b.WriteByte('\n')
	return b.Bytes()
}
