package ranker_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	ranker "github.com/posterngw/postern/examples/dialect"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/llm"
)

func TestSuite(t *testing.T) {
	dialecttest.Suite{API: ranker.Rank(), Target: dialect.Target{Model: "r-1"}}.Run(t)
}

func TestAnswer(t *testing.T) {
	p := ranker.Rank().Provider
	a, err := p.Decode(nil, nil, []byte(`{"order":[{"text":1,"score":0.9},{"text":0,"score":1e-3}],"tokens":12}`))
	require.Nil(t, err)
	require.Equal(t, []llm.Rank{{Index: 1, Score: "0.9"}, {Index: 0, Score: "1e-3"}}, a.Ranks)
	require.Equal(t, llm.Usage{Input: 12, Known: true}, a.Usage)
	for _, body := range []string{`{`, `{}`, `{"order":[{}]}`, `{"order":[{"text":"1","score":1}]}`} {
		_, err := p.Decode(nil, nil, []byte(body))
		require.Equal(t, llm.MalformedAnswer, err.Class, body)
	}
}

func TestLoss(t *testing.T) {
	var l dialect.Ledger
	r := &llm.Request{Rerank: &llm.RerankRequest{Top: "2"}}
	out, err := ranker.Rank().Provider.Encode(nil, r, &dialect.Target{Model: "r-1"}, &l)
	require.Nil(t, err)
	require.Equal(t, `{"model":"r-1","question":"","texts":[]}`, string(out))
	require.Equal(t, "dropped top_n", string(l.Append(nil)))
}

func TestTooLong(t *testing.T) {
	e := ranker.New().APIs[0].Provider.Classify(400, nil, []byte(`{"error":"Text 3 is too long."}`))
	require.Equal(t, llm.ContextLength, e.Class)
	require.Contains(t, e.Message, "Text 3")
}

// TestWalkThrough holds every block of code in the walk-through to the source.
func TestWalkThrough(t *testing.T) {
	text, err := os.ReadFile("../../docs/adding-a-dialect.md")
	require.NoError(t, err)
	source := ""
	for _, file := range []string{"ranker.go", "ranker_test.go"} {
		code, err := os.ReadFile(file)
		require.NoError(t, err)
		source += string(code)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, blocks)
	for _, b := range blocks {
		for _, part := range strings.Split(b[1], "\n…\n") {
			require.True(t, strings.Contains(source, strings.TrimSpace(part)), "not in the source:\n%s", part)
		}
	}
}
