package price_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/price"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// TestConventions reads answers as each provider counts, and bills them: what one
// provider counts in the input another counts beside it, and no token may be paid
// twice or not at all. The file holds for each an answer ("dialect api: what"), a
// price and an invoice; the sums were reckoned by hand.
func TestConventions(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/conventions.txtar")
	require.NoError(t, err)
	require.Zero(t, len(archive.Files)%3)
	for i := 0; i+2 < len(archive.Files); i += 3 {
		answer, rates, want := archive.Files[i], archive.Files[i+1], archive.Files[i+2]
		t.Run(answer.Name, func(t *testing.T) {
			require.Equal(t, "price", rates.Name)
			require.Equal(t, "invoice", want.Name)
			api, _, _ := strings.Cut(answer.Name, ":")
			usage, _, failed := find(t, api).Same.Answer(&jsonx.Edits{}, &llm.Facts{}, answer.Data, &dialect.Patch{})
			require.Nil(t, failed)
			p := entry(t, rates.Data)
			require.Equal(t, strings.TrimSpace(string(want.Data)), bill(&usage, p.Cost(&usage, price.Items{Requests: 1})))
		})
	}
}

func find(t *testing.T, name string) *dialect.API {
	for _, d := range builtin.Dialects() {
		for _, api := range d.APIs {
			if d.Name+" "+api.Name == name {
				return api
			}
		}
	}
	require.Fail(t, "no such API", name)
	return nil
}

func entry(t *testing.T, text []byte) price.Price {
	n, errs := config.ParseJSON(text)
	require.NoError(t, errs.Err())
	var e price.Entry
	require.NoError(t, config.Decode(n, price.EntryFields(&e)).Err())
	return price.NewPrice(&e)
}

// bill is the buckets that hold anything, the tier and the sum.
func bill(u *llm.Usage, cost price.Micros) string {
	var b strings.Builder
	for _, x := range []struct {
		name string
		n    int64
	}{
		{"input", u.Input}, {"cache_read", u.CacheRead}, {"cache_write", u.CacheWrite}, {"cache_write_hour", u.CacheWriteHour},
		{"input_audio", u.InputAudio}, {"output", u.Output}, {"reasoning", u.Reasoning}, {"output_audio", u.OutputAudio},
	} {
		if x.n != 0 {
			fmt.Fprintf(&b, "%s %d, ", x.name, x.n)
		}
	}
	if u.Tier != llm.StandardTier {
		fmt.Fprintf(&b, "tier %s, ", u.Tier)
	}
	return b.String() + "cost " + cost.String()
}
