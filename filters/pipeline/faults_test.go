package pipeline

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClientPanics(t *testing.T) {
	m, client, _ := newModule(t)
	s := &fakeStream{state: map[string]string{}}
	require.Equal(t, Pause, client.Stream(s).Recovered("before anything"))
	require.Equal(t, 1, s.replies, "nothing passes without a decision")
	require.EqualValues(t, 1, m.panics)

	reach := map[string]func(x *exchange){
		"reading": func(x *exchange) { x.headers() },
		"sent":    func(x *exchange) { x.send(chat) },
		"attempt": func(x *exchange) { x.send(chat); x.attempt() },
	}
	for name, to := range reach {
		t.Run(name, func(t *testing.T) {
			x := start(t)
			to(x)
			require.Equal(t, Pause, x.c.Recovered("boom"))
			require.Equal(t, Pause, x.c.Recovered("again")|Pause)
			require.Equal(t, 1, x.s.replies)
			rec := x.record()
			require.Equal(t, "trap", rec["end"])
			require.Equal(t, "internal_error", rec["error"].(map[string]any)["code"])
		})
	}
	x := start(t)
	x.send(chat)
	s, p := x.attempt()
	respond(s, p, 200, jsonType)
	chunk(s, p, wholeJSON, true)
	require.Equal(t, Continue, x.c.Recovered("boom"), "the answer is on its way")
	require.Zero(t, x.s.replies)
	require.Equal(t, "trap", x.record()["end"])
}

func TestProviderPanics(t *testing.T) {
	x := start(t)
	s := &fakeStream{state: map[string]string{}}
	require.Equal(t, Pause, x.provider.Stream(s).Recovered("before anything"))
	require.Equal(t, 1, s.replies, "nothing leaves without an address")

	x.send(chat)
	s, p := x.attempt()
	respond(s, p, 200, jsonType)
	require.Equal(t, Pause, p.Recovered("boom"))
	require.Equal(t, 1, s.replies)
	require.Equal(t, Continue, chunk(s, p, "RAW", true))
	require.Empty(t, s.body[Response])
	require.Equal(t, Pause, p.RequestBody(1, true))
	require.Equal(t, Pause, p.RequestTrailers())
	// The reply passes the client stage, which gives it words.
	x.s.headers[Response] = [][2]string{{":status", "500"}}
	require.Equal(t, Pause, x.c.ResponseHeaders(true))
	rec := x.record()
	require.Equal(t, "internal_error", rec["error"].(map[string]any)["code"])

	x = start(t)
	x.send(chatStream)
	s, p = x.attempt()
	respond(s, p, 200, events)
	require.Equal(t, Continue, chunk(s, p, firstChunk, false))
	s.body[Response] = []byte("RAW")
	require.Equal(t, Continue, p.Recovered("boom"))
	require.Contains(t, string(s.body[Response]), `"internal_error"`)
	require.Equal(t, Continue, chunk(s, p, "RAW", true))
	require.Empty(t, s.body[Response])
	rec = x.record()
	require.Equal(t, true, rec["usage"].(map[string]any)["partial"])
	require.Equal(t, "internal_error", rec["error"].(map[string]any)["code"])
}

// TestHostRefusesChanges: an answer whose change the host refuses does not leave
// as the provider sent it.
func TestHostRefusesChanges(t *testing.T) {
	for name, test := range map[string]struct {
		body, kind, chunk string
		status            int
		refuse            string
	}{
		"whole":  {chat, jsonType, wholeJSON, 200, "set_body"},
		"error":  {chat, jsonType, `{"error":{"message":"x"}}`, 400, "set_body"},
		"marked": {chat, jsonType, `{"error":{"message":"x"}}`, 500, "set_header"},
		"stream": {chatStream, events, firstChunk, 200, "set_body"},
	} {
		t.Run(name, func(t *testing.T) {
			x := start(t)
			x.send(test.body)
			s, p := x.attempt()
			s.refuse = test.refuse
			respond(s, p, test.status, test.kind)
			require.Equal(t, Pause, chunk(s, p, test.chunk, true))
			require.Equal(t, 1, s.replies)
			require.Equal(t, "host_refused", x.record()["error"].(map[string]any)["code"])
		})
	}
	t.Run("request", func(t *testing.T) {
		x := start(t)
		x.send(chat)
		s := &fakeStream{state: x.s.state, refuse: "set_header"}
		require.Equal(t, Pause, x.provider.Stream(s).RequestHeaders(false))
		require.Equal(t, 1, s.replies)
	})
	t.Run("second request", func(t *testing.T) {
		x := start(t)
		x.send(chat)
		_, p := x.attempt()
		p.Done()
		s := &fakeStream{state: x.s.state}
		p = x.provider.Stream(s).(*providerStage)
		require.Equal(t, Pause, p.RequestHeaders(false))
		s.body[Request] = []byte("not what the client sent")
		require.Equal(t, Pause, p.RequestBody(24, true))
		require.Equal(t, 1, s.replies)
		p.Done()
	})
	t.Run("second body", func(t *testing.T) {
		x := start(t)
		x.send(chat)
		_, p := x.attempt()
		p.Done()
		s := &fakeStream{state: x.s.state}
		p = x.provider.Stream(s).(*providerStage)
		p.RequestHeaders(false)
		s.refuse, s.body[Request] = "set_body", x.s.body[Request]
		require.Equal(t, Pause, p.RequestBody(3, false))
		require.Equal(t, Pause, p.RequestBody(len(s.body[Request]), true))
		require.Equal(t, 1, s.replies)
	})
}
