package jsonx

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRecordings reads what clients and real providers sent: validated, walked and watched in chunks as the standard library sees it.
func TestRecordings(t *testing.T) {
	dir := os.Getenv("POSTERN_RECORDINGS")
	if dir == "" {
		t.Skip("POSTERN_RECORDINGS does not name the folder with recorded provider traffic")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	require.NoError(t, err)
	documents := 0
	for _, file := range files {
		f, err := os.Open(file)
		require.NoError(t, err)
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			raw := bytes.Clone(lines.Bytes())
			documents += requireRecorded(t, raw)
			for _, part := range []string{"request", "response"} {
				text, _ := Lookup(raw, part)
				documents += requireRecorded(t, Unescape(nil, Interior(text)))
			}
			for _, event := range strings.Split(string(Unescape(nil, Interior(mustLookup(raw, "response")))), "\n") {
				if data, ok := strings.CutPrefix(event, "data: "); ok {
					documents += requireRecorded(t, []byte(data))
				}
			}
		}
		require.NoError(t, lines.Err())
		require.NoError(t, f.Close())
	}
	t.Logf("%d documents", documents)
	require.NotZero(t, documents)
}

func mustLookup(raw []byte, path ...string) []byte {
	value, _ := Lookup(raw, path...)
	return value
}

func requireRecorded(t *testing.T, raw []byte) int {
	if !json.Valid(raw) {
		require.NotNil(t, Valid(raw, Limits{}))
		return 0
	}
	require.Nil(t, Valid(raw, Limits{}))
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var want any
	require.NoError(t, dec.Decode(&want))
	require.Equal(t, want, decode(raw))
	if _, ok := want.(map[string]any); ok {
		half := len(raw) / 2
		requireTap(t, NewTap(testKeys, 1<<20, Limits{}), Limits{}, raw[:half], raw[half:])
	}
	return 1
}
