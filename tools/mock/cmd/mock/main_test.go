package main

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
)

func TestFlags(t *testing.T) {
	c, err := parse([]string{"-listen", "127.0.0.1:0", "-openai-key", "k", "-chunks", "51", "-chunk-delay", "2ms"})
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:0", *c.addresses["all"])
	require.Equal(t, "k", *c.keys["openai"])
	require.Equal(t, 51, c.opts.Chunks)
	require.NoError(t, run([]string{"-list"}))
	require.ErrorContains(t, run(nil), "nothing to serve")
	require.ErrorContains(t, run([]string{"-behave", "nonsense"}), "unknown behaviour")
	require.Error(t, run([]string{"-listen", "256.0.0.1:x"}))
}

func TestStart(t *testing.T) {
	m := mock.New(mock.Options{})
	defer m.Close()
	for _, name := range []string{"all", "openai"} {
		failed := make(chan error, 1)
		srv, url, err := start(m, name, "127.0.0.1:0", failed)
		require.NoError(t, err)
		resp, err := http.Get(url + "/nowhere")
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Contains(t, string(body), "Invalid URL (GET /nowhere)")
		shut(srv)
		require.ErrorIs(t, <-failed, http.ErrServerClosed)
	}
	_, _, err := start(m, "klingon", "127.0.0.1:0", nil)
	require.Error(t, err)
}
