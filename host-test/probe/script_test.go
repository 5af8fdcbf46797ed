package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseScript(t *testing.T) {
	s, err := parseScript("row r1\nas down\n\nrequest_headers: pause; set req x%20y 1;\nrequest_body/2#3@end: continue\n")
	require.NoError(t, err)
	require.Equal(t, &script{row: "r1", as: "down", rules: []rule{
		{callback: "request_headers", ops: [][]string{{"pause"}, {"set", "req", "x y", "1"}}},
		{callback: "request_body", context: 2, call: 3, end: "end", ops: [][]string{{"continue"}}},
	}}, s)
}

func TestParseScriptRefuses(t *testing.T) {
	for _, text := range []string{
		"no colon", ": op", "a b: op", "tick#0: x", "tick#x: x", "tick/-1: x", "tick@start: x",
		"tick: log %", "tick: log %2", "tick: log %zz", "tick: " + strings.Repeat("x;", maxOps+1),
		strings.Repeat("\n", maxScript+1),
	} {
		_, err := parseScript(text)
		require.ErrorIs(t, err, errScript, text[:min(len(text), 20)])
	}
}

func TestTheFirstRuleThatFitsIsRun(t *testing.T) {
	s, err := parseScript("body/2: second\nbody#1: first\nbody@end: end\nbody@more: more\ntick: t")
	require.NoError(t, err)
	cases := []struct {
		callback      string
		context, call int
		end           bool
		want          string
	}{
		{"body", 2, 1, true, "second"}, {"body", 1, 1, true, "first"}, {"body", 1, 2, true, "end"},
		{"body", 3, 2, false, "more"}, {"tick", 0, 9, false, "t"},
	}
	for _, c := range cases {
		require.Equal(t, [][]string{{c.want}}, s.find(c.callback, c.context, c.call, c.end))
	}
	require.Nil(t, s.find("log", 1, 1, false))
}

// FuzzParseScript: no input makes the parser fail otherwise than by its error, and what it accepts
// is bounded.
func FuzzParseScript(f *testing.F) {
	f.Add("row r\nas d\nrequest_headers/1#2@end: pause; log %41")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseScript(text)
		if err != nil {
			require.ErrorIs(t, err, errScript)
			return
		}
		for _, r := range s.rules {
			require.NotEmpty(t, r.callback)
			require.LessOrEqual(t, len(r.ops), maxOps)
		}
	})
}
