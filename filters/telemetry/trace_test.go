package telemetry

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestParseTraceparent(t *testing.T) {
	tests := []struct {
		name, header string
		ok           bool
	}{
		{"valid", valid, true},
		{"not sampled", valid[:53] + "00", true},
		{"later version", "cc" + valid[2:], true},
		{"later version with more", "cc" + valid[2:] + "-what-ever", true},
		{"later version, more without a dash", "cc" + valid[2:] + ".x", false},
		{"too long for version 00", valid + "-x", false},
		{"far too long", "cc" + valid[2:] + "-" + strings.Repeat("x", 500), false},
		{"version ff", "ff" + valid[2:], false},
		{"upper case", strings.ToUpper(valid), false},
		{"no trace", "00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
		{"no parent", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
		{"wrong digit", strings.Replace(valid, "b7ad", "g7ad", 1), false},
		{"wrong dash", strings.Replace(valid, "-", "_", 1), false},
		{"blank", " " + valid, false},
		{"short", valid[:54], false},
		{"empty", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := ParseTraceparent(tt.header)
			require.Equal(t, tt.ok, ok)
			if !ok {
				require.Zero(t, p)
			}
		})
	}
}

func TestStart(t *testing.T) {
	n := uint64(0)
	random := func() uint64 { n++; return n - 1 }
	p, ok := Pass.Start(valid[:53]+"ff", random)
	require.True(t, ok)
	require.Equal(t, "00-0af7651916cd43dd8448eb211c80319c-0000000000000001-03", string(p.Append(nil)), "a span is never zero, unknown flags are dropped")
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", p.TraceID())
	require.Equal(t, "0000000000000001", p.SpanID())
	_, ok = Pass.Start("", random)
	require.False(t, ok)
	_, ok = Off.Start(valid, random)
	require.False(t, ok)

	p, ok = Create.Start("nonsense", random)
	require.True(t, ok)
	require.Equal(t, "00-00000000000000010000000000000002-0000000000000003-03", string(p.Append(nil)))
	require.Zero(t, p.Parent)
	p, ok = Create.Start(valid, random)
	require.True(t, ok)
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", p.TraceID())
}

func FuzzTraceparent(f *testing.F) {
	for _, s := range []string{valid, "cc" + valid[2:] + "-x", "", strings.Repeat("0", 55)} {
		f.Add(s)
	}
	form := regexp.MustCompile(`\A[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-(?s:.*))?\z`)
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := ParseTraceparent(s)
		want := form.MatchString(s) && len(s) <= maxTraceparent && !strings.HasPrefix(s, "ff") &&
			(!strings.HasPrefix(s, "00") || len(s) == traceparentLen) &&
			s[3:35] != strings.Repeat("0", 32) && s[36:52] != strings.Repeat("0", 16)
		require.Equal(t, want, ok)
		if ok {
			again, ok := ParseTraceparent(string((&Traceparent{Trace: p.Trace, Span: p.Parent, Flags: p.Flags}).Append(nil)))
			require.True(t, ok)
			require.Equal(t, p, again)
		}
	})
}
