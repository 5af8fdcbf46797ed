package replay_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/replay"
)

func options() replay.Options { return replay.Options{Module: gateway.Native(), Partitions: 2} }

// TestRecordings replays recorded traffic natively, whole and in a few pieces.
func TestRecordings(t *testing.T) {
	dir := os.Getenv("POSTERN_RECORDINGS")
	if dir == "" {
		t.Skip("POSTERN_RECORDINGS names no folder of recorded traffic")
	}
	list, err := replay.Read(dir)
	require.NoError(t, err)
	s := replay.All(list, options(), nil)
	for _, o := range s.Outcomes {
		if o.Failed() {
			t.Errorf("%s:%d %s %s: %+v", o.File, o.Line, o.ID, o.API, o.Problems[0])
		}
	}
	t.Logf("%d passed, %d failed, %d skipped", s.Passed, s.Failed, s.Skipped)
}

func fixtures(t *testing.T) []replay.Exchange {
	list, err := replay.Read("testdata")
	require.NoError(t, err)
	return list
}

func TestGood(t *testing.T) {
	list := fixtures(t)
	told := 0
	s := replay.All(list, options(), func(*replay.Outcome) { told++ })
	require.Equal(t, len(list), told)
	require.Empty(t, s.Outcomes[0].Problems)
	require.Empty(t, s.Outcomes[1].Problems)
	require.Empty(t, s.Outcomes[2].Problems)
	require.Contains(t, s.Outcomes[0].Pairs, "anthropic/messages")
	require.Contains(t, s.Outcomes[1].Pairs, "openai/chat")
	require.Equal(t, 0, s.Failed)
	var out bytes.Buffer
	require.NoError(t, s.Table(&out))
	require.Regexp(t, `openai/chat +2 +0 +0`, out.String())
}

// TestCaught damages what the module may not: each damage must be noticed.
func TestCaught(t *testing.T) {
	stream := func(from, to string) func(*replay.Exchange) {
		return func(x *replay.Exchange) { x.Body = bytes.Replace(x.Body, []byte(from), []byte(to), 1) }
	}
	for name, c := range map[string]struct {
		id     string
		damage func(*replay.Exchange)
		want   string
	}{
		"an answer that is no JSON":  {"whole", stream(`{"id"`, `{"id`), "cannot be read"},
		"a stream without its end":   {"stream", func(x *replay.Exchange) { x.Body, _, _ = bytes.Cut(x.Body, []byte("event: message_delta")) }, "error"},
		"a tool call without a name": {"stream", stream(`"name":"weather"`, `"name":7`), "grammar"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, x := range fixtures(t) {
				if x.ID != c.id {
					continue
				}
				c.damage(&x)
				out := replay.Run(&x, options())
				require.True(t, out.Failed())
				require.Contains(t, out.Problems[0].What, c.want)
			}
		})
	}
}

func TestMinimize(t *testing.T) {
	for _, x := range fixtures(t) {
		if x.ID != "stream" {
			continue
		}
		x.Body = bytes.Replace(x.Body, []byte(`"name":"weather"`), []byte(`"name":7`), 1)
		out := replay.Run(&x, options())
		require.True(t, out.Failed())
		small := replay.Minimize(&x, &out, options())
		require.Less(t, len(small.Body), len(x.Body))
		again := replay.Run(&small, options())
		require.True(t, again.Failed())
		text, err := small.Recorded()
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "case.jsonl")
		require.NoError(t, os.WriteFile(file, text, 0o600))
		list, err := replay.Read(file)
		require.NoError(t, err)
		require.Equal(t, string(small.Body), string(list[0].Body))
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"": "no recorded exchanges", "{": "line 1", `{"url":":"}`: "line 1", "\n" + `{"response_encoding":"base64","response":"%"}`: "line 2",
	} {
		file := filepath.Join(dir, "x.jsonl")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := replay.Read(dir)
		require.ErrorContains(t, err, want)
	}
	_, err := replay.Read(filepath.Join(dir, "none"))
	require.Error(t, err)
}

func TestRouteOf(t *testing.T) {
	list, err := replay.Read("testdata")
	require.NoError(t, err)
	x := list[0]
	for url, want := range map[string]string{
		"https://api.openai.com/v1/chat/completions":                                              "openai  /v1/chat/completions https://api.openai.com/v1",
		"https://openrouter.ai/api/v1/chat/completions":                                           "openai openrouter /v1/chat/completions https://openrouter.ai/api/v1",
		"https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=1":          "openai azure /openai/deployments/d/chat/completions?api-version=1 https://x.openai.azure.com",
		"https://h/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict":            "anthropic vertex /v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict https://h/v1/projects/p/locations/l/publishers/anthropic",
		"https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-micro-v1%3A0/converse": "bedrock  /model/amazon.nova-micro-v1%3A0/converse https://bedrock-runtime.us-east-1.amazonaws.com",
		"https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse": "gemini  /v1beta/models/g:streamGenerateContent?alt=sse https://generativelanguage.googleapis.com",
		"http://127.0.0.1:11434/api/chat":                                                         "ollama  /api/chat http://127.0.0.1:11434",
		"https://api.cohere.com/v2/chat":                                                          "cohere  /v2/chat https://api.cohere.com",
	} {
		line, err := x.Recorded()
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "x.jsonl")
		require.NoError(t, os.WriteFile(file, bytes.Replace(line, []byte(x.URL.String()), []byte(url), 1), 0o600))
		moved, err := replay.Read(file)
		require.NoError(t, err)
		r := replay.RouteOf(&moved[0])
		require.Equal(t, want, strings.Join([]string{r.Dialect, r.Flavour, r.Path, r.URL}, " "))
	}
}
