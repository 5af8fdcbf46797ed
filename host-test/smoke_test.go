package hosttest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type echo struct {
	BaseGuest
	c Calls
}

func (e *echo) OnRequestHeaders(uint32, uint32, bool) Action {
	e.c.AddHeader(RequestHeaders, "x-seen", "1")
	return Pause
}

func (e *echo) OnRequestBody(_, n uint32, eos bool) Action {
	if !eos {
		return Pause
	}
	b, _ := e.c.Buffer(RequestBody, 0, n)
	e.c.SetBuffer(RequestBody, 0, n, append([]byte("got "), b...))
	e.c.RemoveHeader(RequestHeaders, "content-length")
	return Continue
}

func TestSmoke(t *testing.T) {
	h, err := New(Config{
		Downstream: []Filter{{Module: NativeGuest(func(c Calls) Guest { return &echo{c: c} }), AllowHeadersStop: true}},
	})
	require.NoError(t, err)
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":method", "POST"}, {"content-length", "4"}}, false)
	require.Nil(t, s.Attempt())
	s.RequestBody([]byte("ab"), false)
	s.RequestBody([]byte("cd"), true)
	a := s.Attempt()
	require.NotNil(t, a)
	require.Equal(t, "got abcd", a.Request().Body())
	a.ResponseHeaders([][2]string{{":status", "200"}}, false)
	a.ResponseBody([]byte("x"), false)
	a.ResponseBody([]byte("y"), true)
	require.Equal(t, "xy", s.Response().Body())
	require.True(t, s.Ended())
	require.NoError(t, h.Close())
}
