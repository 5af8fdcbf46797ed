//go:build !wasip1

package proxywasm

import (
	"testing"

	"github.com/posterngw/postern/filters/host"
	"github.com/stretchr/testify/require"
)

// inside runs f in a callback of stream 7.
func inside(t *testing.T, f func(h *fakeHost, s *fakeStage)) {
	h := newFake()
	p := &fakePlugin{}
	start(t, p)
	h.log = nil
	p.on = func(s *fakeStage, callback string) {
		if callback == "request_headers" {
			f(h, s)
		}
	}
	s := begin(p, 7)
	dispatch(atRequestHeaders, 7, 0, 0, 0)
	require.Empty(t, s.causes, "panic")
}

func TestHostCalls(t *testing.T) {
	for name, c := range map[string]struct {
		call func(s *fakeStage)
		want []string
	}{
		"set header": {
			func(s *fakeStage) { s.SetHeader(host.Request, "a", "1") },
			[]string{"replace_header_map_value a 1"},
		},
		"set pseudo header": {
			func(s *fakeStage) { s.SetHeader(host.Response, ":status", "503") },
			[]string{"replace_header_map_value :status 503"},
		},
		"remove header": {func(s *fakeStage) { s.RemoveHeader(host.Request, "a") }, []string{"remove_header_map_value a"}},
		"set body":      {func(s *fakeStage) { s.SetBody(host.Request, []byte("new")) }, []string{"set_buffer_bytes new"}},
		"empty body":    {func(s *fakeStage) { s.SetBody(host.Request, nil) }, []string{"set_buffer_bytes "}},
		"set property":  {func(s *fakeStage) { s.SetProperty("postern.key", "1") }, []string{"set_property postern.key 1"}},
		"route":         {func(s *fakeStage) { s.ClearRouteCache() }, []string{"call_foreign_function clear_route_cache"}},
		"resume":        {func(s *fakeStage) { s.Resume(host.Response) }, []string{"continue_stream 1"}},
		"reply": {
			func(s *fakeStage) { s.Reply(429, [][2]string{{"a", "b"}}, []byte("slow"), "limit") },
			[]string{"send_local_response 7 429 limit slow 1 -1"},
		},
		"active already": {func(s *fakeStage) { s.Activate() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inside(t, func(h *fakeHost, s *fakeStage) {
				c.call(s)
				require.NoError(t, s.Err())
				require.Equal(t, c.want, h.log)
			})
		})
	}
}

func TestSetHeaderLeavesOneValue(t *testing.T) {
	inside(t, func(h *fakeHost, s *fakeStage) {
		h.headers[requestHeaders] = [][2]string{{"authorization", "theirs"}, {"x", "y"}, {"authorization", "too"}}
		s.SetHeader(host.Request, "authorization", "ours")
		require.Equal(t, [][2]string{{"x", "y"}, {"authorization", "ours"}}, h.headers[requestHeaders])
		s.SetHeader(host.Request, "x-new", "1")
		h.refuse["remove_header_map_value"] = NotFound
		s.RemoveHeader(host.Request, "x-absent")
		require.NoError(t, s.Err())
	})
}

func TestReads(t *testing.T) {
	inside(t, func(h *fakeHost, s *fakeStage) {
		h.headers[requestHeaders] = [][2]string{{"a", "1"}, {"empty", ""}, {"a", "2"}}
		h.headers[responseHeaders] = [][2]string{{":status", "200"}}
		h.properties["upstream\x00address"] = "10.0.0.1:80"
		h.buffers[0] = []byte("0123456789")

		v, ok := s.Header(host.Request, "a")
		require.Equal(t, "1", v)
		require.True(t, ok)
		v, ok = s.Header(host.Request, "empty")
		require.Empty(t, v)
		require.True(t, ok, "present and empty")
		_, ok = s.Header(host.Request, "absent")
		require.False(t, ok)
		require.Equal(t, h.headers[requestHeaders], s.Headers(host.Request))
		require.Equal(t, h.headers[responseHeaders], s.Headers(host.Response))

		v, ok = s.Property("upstream", "address")
		require.Equal(t, "10.0.0.1:80", v)
		require.True(t, ok)
		_, ok = s.Property("absent")
		require.False(t, ok)
		require.NoError(t, s.Err(), "absence is no error")
	})
}

func TestBodySizes(t *testing.T) {
	inside(t, func(h *fakeHost, s *fakeStage) {
		h.buffers[0] = []byte("0123456789")
		for _, c := range []struct {
			offset, size int
			want         string
		}{
			{0, 10, "0123456789"},
			{2, 3, "234"},
			{8, 10, "89"},
			{10, 1, ""},
			{99, 1, ""},
			{0, 0, ""},
			{-1, 5, ""},
			{0, -5, ""},
			{0, maxResult + 1, ""},
			{1 << 40, 1, ""},
		} {
			require.Equal(t, c.want, string(s.Body(host.Request, c.offset, c.size)), c)
		}
		require.Nil(t, s.Body(host.Response, 0, 10))
		require.NoError(t, s.Err())
		first, second := s.Body(host.Request, 0, 5), s.Body(host.Request, 5, 5)
		_ = append(first, "overwritten"...)
		require.Equal(t, "01234", string(first))
		require.Equal(t, "56789", string(second))
	})
}

func TestTheFirstErrorStays(t *testing.T) {
	inside(t, func(h *fakeHost, s *fakeStage) {
		h.refuse["replace_header_map_value"] = BadArgument
		h.refuse["get_property"] = InternalFailure
		s.SetHeader(host.Request, "a", "1")
		s.Property("x")
		var refused *HostError
		require.ErrorAs(t, s.Err(), &refused)
		require.Equal(t, HostError{Call: "replace_header_map_value", Status: BadArgument}, *refused)
		require.Equal(t, "host call replace_header_map_value: bad argument", refused.Error())
		require.NoError(t, s.Err(), "asked and forgotten")
	})
}

func TestResultsOutsideOfTheirMemory(t *testing.T) {
	inside(t, func(h *fakeHost, s *fakeStage) {
		h.headers[requestHeaders] = [][2]string{{"a", "1"}}
		h.elsewhere = true
		_, ok := s.Header(host.Request, "a")
		require.False(t, ok)
		require.ErrorIs(t, s.Err(), ErrResult)
		require.Nil(t, s.Headers(host.Request))
		require.ErrorIs(t, s.Err(), ErrResult)
		h.elsewhere, h.oversize = false, maxResult+1
		_, ok = s.Header(host.Request, "a")
		require.False(t, ok)
		require.ErrorContains(t, s.Err(), "invalid memory access")
	})
}

func TestMalformedHeaderMap(t *testing.T) {
	inside(t, func(h *fakeHost, s *fakeStage) {
		proxyGetHeaderMapPairs = func(_ mapType, addr, size *uint32) Status {
			return h.give([]byte{9, 0, 0, 0, 1}, addr, size)
		}
		require.Nil(t, s.Headers(host.Request))
		require.ErrorIs(t, s.Err(), ErrResult)
	})
}

func TestAStreamThatIsNotActiveSaysNothing(t *testing.T) {
	h := newFake()
	p := &fakePlugin{}
	start(t, p)
	other := begin(p, 7)
	var late *fakeStage
	p.on = func(s *fakeStage, callback string) {
		if callback != "request_headers" {
			return
		}
		h.log = nil
		all(other)
		require.Empty(t, h.log)
		require.ErrorIs(t, other.Err(), ErrInactive)

		other.Activate()
		require.EqualValues(t, 7, h.effective)
		other.SetProperty("a", "b")
		require.NoError(t, other.Err())
		s.SetProperty("c", "d")
		require.ErrorIs(t, s.Err(), ErrInactive, "the other one is active now")
		s.Activate()
		s.SetProperty("c", "d")
		require.NoError(t, s.Err())
		late = s
	}
	begin(p, 8)
	dispatch(atRequestHeaders, 8, 0, 0, 0)
	dispatch(atDelete, 8, 0, 0, 0)
	h.log = nil
	late.Activate()
	all(late)
	require.Empty(t, h.log)
	require.ErrorIs(t, late.Err(), ErrGone)
}

// all makes every host call of a stream.
func all(s host.Stream) {
	s.Headers(host.Request)
	s.Header(host.Request, "a")
	s.SetHeader(host.Request, "a", "b")
	s.RemoveHeader(host.Request, "a")
	s.Body(host.Request, 0, 1)
	s.SetBody(host.Request, nil)
	s.Property("a")
	s.SetProperty("a", "b")
	s.ClearRouteCache()
	s.Reply(500, nil, nil, "")
	s.Resume(host.Request)
}
