package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/postern/internal/report"
)

// TestLine shows records as lines. The columns are those of names that short.
func TestLine(t *testing.T) {
	l := report.NewLayout([]string{"fast"}, []string{"openai/gpt-4o"})
	require.Equal(t, "TIME      PRINCIPAL     MODEL  TARGET         STATUS  IN/OUT       FIRST    TOTAL    COST          NOTE", l.Header())
	for name, c := range map[string]struct{ record, line string }{
		"whole": {
			`{"time":"2026-01-02T03:04:05.678Z","end":"complete","status":200,"principal":{"organisation":"acme","team":"search","key":"ci"},"operation":"chat","model":"fast","target":"openai/gpt-4o","attempts":[{"target":"openai/gpt-4o"}],"usage":{"input":10,"cache_read":5,"output":7,"reasoning":3},"cost":{"micros":1234567,"currency":"USD"},"first_token_ms":33,"total_ms":120}`,
			"03:04:05  ci            fast   openai/gpt-4o  200     15/10        33ms     120ms    1.234567 USD",
		},
		"failed over": {
			`{"time":"2026-01-02T03:04:05Z","end":"complete","status":200,"principal":{"team":"search"},"model":"fast","target":"b","attempts":[{},{}],"usage":{"input":1,"output":2,"estimated":true},"first_token_ms":1,"total_ms":12345}`,
			"03:04:05  search        fast   b              200     ~1/2         1ms      12.3s    -             2 attempts",
		},
		"refused": {
			`{"time":"2026-01-02T03:04:05Z","end":"local_reply","status":429,"principal":{},"model":"fast","error":{"class":"rate_limited","code":"budget_exceeded","policy":"monthly"},"total_ms":0}`,
			"03:04:05  -             fast   -              429     -            -        0ms      -             budget_exceeded (monthly)",
		},
		"aborted": {
			`{"time":"2026-01-02T03:04:05Z","end":"client_abort","status":200,"model":"fast","total_ms":3}`,
			"03:04:05  -             fast   -              200     -            -        3ms      -             client_abort",
		},
		"no model": {
			`{"time":"2026-01-02T03:04:05Z","end":"complete","status":200,"operation":"models","total_ms":3}`,
			"03:04:05  -             (models)  -              200     -            -        3ms      -",
		},
		"a name that steers a terminal": {
			`{"time":"2026-01-02T03:04:05Z","end":"local_reply","status":404,"asked":"a\u001b[2J\u202eb","error":{"class":"client"},"total_ms":3}`,
			"03:04:05  -             a?[2J?b  -              404     -            -        3ms      -             client",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, ok := report.Parse(c.record)
			require.True(t, ok)
			require.Equal(t, c.line, l.Line(r, time.UTC))
		})
	}
}

// TestParse takes nothing for a record that is none.
func TestParse(t *testing.T) {
	for _, text := range []string{"", "-", "null", "[]", "{", `{"time":3}`} {
		_, ok := report.Parse(text)
		require.False(t, ok, text)
	}
}

// TestPrinter writes all that was printed before Close, in order.
func TestPrinter(t *testing.T) {
	var b bytes.Buffer
	p := report.NewPrinter(&b)
	for range 10_000 {
		p.Print("x")
	}
	p.Print("last")
	p.Close()
	p.Print("too late")
	require.Equal(t, strings.Repeat("x\n", 10_000)+"last\n", b.String())
}

// FuzzParse holds that no record breaks a line.
func FuzzParse(f *testing.F) {
	f.Add(`{"time":"2026-01-02T03:04:05Z","end":"complete","status":200,"asked":"\n","cost":{"micros":-1}}`)
	l := report.NewLayout(nil, nil)
	f.Fuzz(func(t *testing.T, text string) {
		if r, ok := report.Parse(text); ok {
			require.NotContains(t, l.Line(r, time.UTC), "\n")
		}
	})
}
