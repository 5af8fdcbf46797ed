package sse

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRecordings reads what real providers streamed, at random cuts.
func TestRecordings(t *testing.T) {
	dir := os.Getenv("POSTERN_RECORDINGS")
	if dir == "" {
		t.Skip("POSTERN_RECORDINGS does not name the folder with recorded provider traffic")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	require.NoError(t, err)
	streams, events := 0, 0
	for _, file := range files {
		for id, stream := range recorded(t, file) {
			streams++
			events += requireRecorded(t, id, stream)
		}
	}
	t.Logf("%d streams, %d events", streams, events)
	require.NotZero(t, events)
}

// recorded returns the event streams of a file by their ids.
func recorded(t *testing.T, file string) map[string]string {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	out := map[string]string{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r struct {
			ID, Response string
			Headers      map[string]string `json:"response_headers"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		if strings.HasPrefix(r.Headers["content-type"], "text/event-stream") {
			out[r.ID] = r.Response
		}
	}
	require.NoError(t, lines.Err())
	return out
}

func requireRecorded(t *testing.T, id, stream string) int {
	want := naive(stream)
	rnd := rand.New(rand.NewPCG(1, uint64(len(stream))))
	var f Framer
	for _, longest := range []int{30, 1000, len(stream)} {
		f.Init(Limits{})
		got, raw := feed(t, &f, partition([]byte(stream), rnd, longest)...)
		require.Equal(t, want, got, id)
		require.Equal(t, stream, string(raw), id)
	}
	for _, r := range want {
		data := strings.TrimPrefix(r.data, "=")
		require.True(t, r.comment || data == "[DONE]" || json.Valid([]byte(data)), "%s: %q", id, data)
	}
	return len(want)
}
