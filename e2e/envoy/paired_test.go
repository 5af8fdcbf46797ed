package envoy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
)

// paired is a configuration in this mode, whatever the mode of the run.
func paired(text string) string {
	if mode == "paired" {
		return text
	}
	return "mode: paired\n" + text
}

// A pair that is set up incompletely is found out at the first request, which
// gets an error in its dialect, and is counted. Nothing reaches a provider.
func TestMissingPartner(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(string) string{
		"no holder":    func(b string) string { return without(b, "postern-holder") },
		"no reader":    func(b string) string { return without(b, "postern") },
		"wrong order":  swapped,
		"two machines": apart,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t, envoytest.Options{Config: paired(shared.config(reloadConfig)), Env: environment, Edit: edit})
			began := time.Now()
			got := ask(t, say("gpt", "x"), option.WithBaseURL(e.URL+"/v1"))
			require.NotNil(t, got.err)
			require.Equal(t, 503, got.err.StatusCode)
			require.Equal(t, "partner_missing", got.err.Code, got.err.RawJSON())
			require.Less(t, time.Since(began), 20*time.Second, "it must not hang")
			require.Empty(t, shared.openai.Of(got.id))
			counted(t, e, "partner_missing", 1)
		})
	}
}

// filter is where a filter's entry of the bootstrap begins and ends.
func filter(bootstrap, name string) (from, to int) {
	from = strings.Index(bootstrap, "          - name: "+name+"\n")
	to = from + 1 + strings.Index(bootstrap[from+1:], "          - name: ")
	return from, to
}

// shape gives both entries whole: the holder's refers to the reader's VM.
func shape(b string) (before, reader, holder, after string) {
	r, _ := filter(b, "postern")
	h, end := filter(b, "postern-holder")
	reader, holder = b[r:h], b[h:end]
	vm := reader[strings.Index(reader, "vm_config: &vm")+len("vm_config: &vm"):]
	if i := strings.Index(vm, "          # The holder"); i >= 0 {
		vm = vm[:i]
		reader = reader[:strings.Index(reader, "          # The holder")]
	}
	reader = strings.Replace(reader, " &vm", "", 1)
	holder = strings.Replace(holder, " *vm\n", vm, 1)
	return b[:r], reader, holder, b[end:]
}

func without(b, name string) string {
	before, reader, holder, after := shape(b)
	if name == "postern" {
		return before + holder + after
	}
	return before + reader + after
}

func swapped(b string) string {
	before, reader, holder, after := shape(b)
	return before + holder + reader + after
}

func apart(b string) string {
	before, reader, holder, after := shape(b)
	return before + reader + strings.Replace(holder, "vm_id: postern", "vm_id: another", 1) + after
}

// An answer that breaks off before its first content cannot go to the next target
// in paired mode: the host ends it, and it is the host's words that the client
// gets. The record says so, and the next request is served.
func TestPairedBreak(t *testing.T) {
	t.Parallel()
	breaks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // it breaks off anyway
		w.Header().Set("content-type", "text/event-stream")
		_, _ = io.WriteString(w, ": ping\n\n")
		w.(http.Flusher).Flush()
		time.Sleep(100 * time.Millisecond)
		panic(http.ErrAbortHandler)
	}))
	defer breaks.Close()
	text := strings.Replace(shared.config(reloadConfig), shared.openai.URL, breaks.URL, 1)
	e := start(t, envoytest.Options{Config: paired(text), Env: environment})
	at := option.WithBaseURL(e.URL + "/v1")
	got, _ := stream(t, say("gpt", "x"), at)
	require.NotNil(t, got.err)
	require.Contains(t, []int{502, 503}, got.err.StatusCode)
	var records []envoytest.Record
	require.Eventually(t, func() (found bool) {
		var err error
		records, err = e.Records()
		return err == nil && len(records) > 0
	}, patience, 50*time.Millisecond)
	require.Equal(t, "local_reply", records[0].End)
	require.Equal(t, got.err.StatusCode, records[0].Status)
	require.Equal(t, "paired", records[0].Mode)
	require.Nil(t, ask(t, say("claude", "x"), at).err)
	quiet(t, e)
}
