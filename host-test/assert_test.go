package hosttest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

type complaints []string

func (*complaints) Helper() {}
func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

func TestAssertions(t *testing.T) {
	h := one(t, func(s *script) {
		trapping(s)
		check := s.requestHeaders
		s.requestHeaders = func(ctx, n uint32, eos bool) Action {
			s.c.Log(LogWarn, "seen it")
			id, _ := s.c.DefineMetric(Counter, "requests")
			s.c.IncrementMetric(id, 1)
			return check(ctx, n, eos)
		}
	})
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":method", "POST"}, {"x", "1"}, {"content-length", "1"}}, false)
	s.RequestBody([]byte("qq"), true)
	var c complaints
	NoLeaks(&c, h)
	Answered(&c, s, "200", "r")
	Forwarded(&c, s.Attempt(), [][2]string{{"x", "2"}}, "p")
	Forwarded(&c, nil, nil, "")
	Logged(&c, h, LogError, "seen")
	Counted(&c, h, "requests", 2)
	require.Equal(t, complaints{
		"worker 0: 1 open streams, 1 contexts left",
		`answer:  "" (0 chunks, incomplete), want 200 "r"`,
		`forwarded x: ["1"], want "2"`, `forwarded body "qq", want "p"`, `the provider takes "q" for its next request`,
		"nothing was forwarded", `no line of level error contains "seen"`, "metric requests: 1 (defined: true), want 2",
	}, c)

	c = nil
	Forwarded(&c, s.Attempt(), [][2]string{{"x", "1"}}, "qq")
	require.Len(t, c, 1)
	answer(t, s, "200", "r")
	NoLeaks(t, h)
	Answered(t, s, "200", "r")
	Logged(t, h, LogWarn, "seen")
	Counted(t, h, "requests", 1)
	Lifecycles(t, h, s)
	Healthy(t, h)
	h.NewStream().RequestHeaders(trap, true)
	c = nil
	Healthy(&c, h)
	require.Len(t, c, 1)
	require.Contains(t, c[0], "as asked")
}

func TestLifecycleProblemsAreFound(t *testing.T) {
	e := func(cb Callback) TraceEvent { return TraceEvent{Context: 7, Callback: cb} }
	create, headers, done, del := e(CallbackContextCreate), e(CallbackRequestHeaders), e(CallbackDone), e(CallbackDelete)
	cases := []struct {
		name   string
		events []TraceEvent
		want   int
	}{
		{"good", []TraceEvent{create, headers, done, del}, 0},
		{"headers before create", []TraceEvent{headers, create, done, del}, 1},
		{"created twice", []TraceEvent{create, create, done, del}, 1},
		{"headers after done", []TraceEvent{create, done, headers, del}, 1},
		{"done twice", []TraceEvent{create, done, done, del}, 1},
		{"delete without done", []TraceEvent{create, del}, 1},
		{"never deleted", []TraceEvent{create, done}, 1},
		{"after delete", []TraceEvent{create, done, del, headers}, 1},
	}
	for _, c := range cases {
		require.Len(t, lifecycleProblems(c.events, true), c.want, c.name)
	}
}
