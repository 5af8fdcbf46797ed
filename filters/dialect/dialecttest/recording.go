package dialecttest

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Recording is one exchange that a real provider answered.
type Recording struct {
	ID       string            `json:"id"`
	Method   string            `json:"method"`
	URL      string            `json:"url"`
	Request  string            `json:"request"`
	Status   int               `json:"status"`
	Headers  map[string]string `json:"response_headers"`
	Response string            `json:"response"`
	Encoding string            `json:"response_encoding"`
}

// Streamed reports whether the answer is an event stream.
func (r *Recording) Streamed() bool {
	return strings.HasPrefix(r.Headers["content-type"], "text/event-stream")
}

// Header looks up a header of the answer.
func (r *Recording) Header(name string) string { return r.Headers[name] }

// Recordings reads files of $POSTERN_RECORDINGS, one exchange a line. Without
// that folder the test is skipped.
func Recordings(t testing.TB, files ...string) []Recording {
	dir := os.Getenv("POSTERN_RECORDINGS")
	if dir == "" {
		t.Skip("POSTERN_RECORDINGS names no folder of recorded traffic")
	}
	var all []Recording
	for _, name := range files {
		f, err := os.Open(filepath.Join(dir, name))
		require.NoError(t, err)
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<22)
		for lines.Scan() {
			var r Recording
			require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
			all = append(all, r)
		}
		require.NoError(t, lines.Err())
		require.NoError(t, f.Close())
	}
	require.NotEmpty(t, all)
	return all
}
