package fidelity

import (
	"context"
	"flag"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "keep the new recording of $ENVOY, and rewrite the document")

var openProbe = sync.OnceValues(func() (*Probe, error) {
	p, done, err := OpenProbe(context.Background())
	cleanUp = done
	return p, err
})

var cleanUp func() error

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if cleanUp != nil {
		if err := cleanUp(); err != nil {
			code = 1
		}
	}
	os.Exit(code)
}

func probeForTest(t *testing.T) *Probe {
	t.Helper()
	p, err := openProbe()
	require.NoError(t, err)
	return p
}

// TestRecord asks the real Envoy again: it must answer as the committed recording says. The new
// recording is left beside it if it does not.
func TestRecord(t *testing.T) {
	binary := os.Getenv("ENVOY")
	if binary == "" {
		t.Skip("ENVOY names no Envoy: only the committed recording is compared")
	}
	proxy, err := ProxyName(binary)
	require.NoError(t, err)
	transcripts, err := Record(binary, probeForTest(t).Path, Rows)
	require.NoError(t, err)
	fresh := NewRecording(proxy, Rows, transcripts)
	b, err := fresh.Bytes()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(RecordingFile, b, 0o644))
		return
	}
	committed, err := os.ReadFile(RecordingFile)
	require.NoError(t, err)
	if string(committed) != string(b) {
		require.NoError(t, os.WriteFile(newRecordingFile, b, 0o644))
	}
	compareRecordings(t, fresh)
	require.True(t, string(committed) == string(b), "the proxy answers anew: see "+newRecordingFile)
}

// newRecordingFile is ignored by git.
const newRecordingFile = RecordingFile + ".new"

func compareRecordings(t *testing.T, fresh *Recording) {
	old, err := LoadRecording(RecordingFile)
	require.NoError(t, err)
	require.Equal(t, old.Proxy, fresh.Proxy)
	for i := range fresh.Rows {
		if d := diff(fresh.Rows[i].Lines, old.Rows[i].Lines); len(d.Envoy)+len(d.Hosttest) > 0 {
			t.Errorf("row %s is answered anew:\nnow:%s\nrecorded:%s", fresh.Rows[i].Name, list(d.Envoy), list(d.Hosttest))
		}
	}
}

// TestHosttestAnswersAsEnvoy compares every row with the recording; differences must be listed.
func TestHosttestAnswersAsEnvoy(t *testing.T) {
	recording, err := LoadRecording(RecordingFile)
	require.NoError(t, err)
	for i := range Rows {
		t.Run(Rows[i].Name, func(t *testing.T) {
			_, err := Compare(&Rows[i], recording.Rows[i].Lines, probeForTest(t).Module)
			require.NoError(t, err)
		})
	}
}

func TestDocumentIsUpToDate(t *testing.T) {
	recording, err := LoadRecording(RecordingFile)
	require.NoError(t, err)
	results, err := CompareAll(recording, probeForTest(t).Module)
	require.NoError(t, err)
	want := Document(recording.Proxy, results)
	if *update {
		require.NoError(t, os.WriteFile(DocumentFile, want, 0o644))
	}
	have, err := os.ReadFile(DocumentFile)
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "run go generate ./host-test/fidelity")
}

func TestTable(t *testing.T) {
	require.GreaterOrEqual(t, len(Rows), 48)
	names := map[string]bool{}
	for _, r := range Rows {
		require.False(t, names[r.Name], r.Name)
		names[r.Name] = true
		require.NotEmpty(t, r.Asks, r.Name)
		require.NotNil(t, r.Traffic, r.Name)
	}
	for name, d := range Differences {
		require.True(t, names[name], name)
		require.NotEmpty(t, d.Why, name)
	}
}
