package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/gateway/gatewaytest"
	"github.com/posterngw/postern/tools/scenario"
)

// The modules that observe, as `make wasm` leaves them.
const (
	path     = "../../build/postern-observe.wasm"
	fullPath = "../../build/postern.wasm"
)

// engines are the observer as Go code, as the module that does nothing else, and as
// a mode of the module that does everything.
func engines(t testing.TB) map[string]hosttest.Module {
	return map[string]hosttest.Module{"native": gateway.Observer(), "observe": gatewaytest.Built(t, path), "postern": gatewaytest.Built(t, fullPath)}
}

// profiles are the hosts.
func profiles() []hosttest.Profile {
	return []hosttest.Profile{hosttest.Envoy(), hosttest.IstioWasmPlugin(), hosttest.APISIX()}
}

// neighbour is an emulated proxy beside whose routing the module observes.
type neighbour struct {
	*hosttest.Host
	cluster string // of the request at hand
	seen    int    // lines of the log that were looked at
}

// beside starts a proxy with the module, or without any if it is nil.
func beside(t testing.TB, module hosttest.Module, profile hosttest.Profile, file string, text []byte) *neighbour {
	node, _, errs := gateway.Load(file, text)
	require.Empty(t, errs)
	node.Members = slices.DeleteFunc(node.Members, func(m config.Member) bool { return m.Key == "mode" })
	node.Members = append(node.Members, config.Member{Key: "mode", Value: &config.Node{Kind: config.KindString, Text: string(pipeline.Observe)}})
	c, errs := pipeline.Decode(node, builtin.Dialects())
	require.Empty(t, errs)
	n := &neighbour{}
	h := gateway.Host(gateway.Options{Module: module, Node: node, Config: c, Profile: profile})
	h.Route.Cluster = func(*hosttest.FilterState, *hosttest.Headers, int) string { return n.cluster }
	h.Route.BufferLimit = 64 << 20
	if module == nil {
		h.Downstream = nil
	}
	var err error
	n.Host, err = hosttest.New(h)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// passed is what a request and its answer became.
type passed struct {
	Sent, Got Message
	Record    string
}

// Message is what left on one side, piece by piece.
type Message struct {
	Headers, Trailers [][2]string
	Chunks            []string
	Complete          bool
	Broken            string
}

func (m *Message) join() {
	if body := strings.Join(m.Chunks, ""); body != "" {
		m.Chunks = []string{body}
	}
}

func messageOf(m hosttest.Message) Message {
	out := Message{Complete: m.Complete, Broken: m.Broken}
	if m.Headers != nil {
		out.Headers = m.Headers.Pairs()
	}
	if m.Trailers != nil {
		out.Trailers = m.Trailers.Pairs()
	}
	for _, c := range m.Chunks {
		out.Chunks = append(out.Chunks, string(c))
	}
	return out
}

// pass sends an exchange through, cut.
func (n *neighbour) pass(t testing.TB, x *scenario.Exchange, cut scenario.Cutter) passed {
	n.cluster = x.Cluster
	s := n.NewStream()
	body := x.Request.Body()
	s.RequestHeaders(x.Request.Headers.Pairs(), body == "")
	for i, chunks := 0, cut(body); i < len(chunks) && body != ""; i++ {
		s.RequestBody([]byte(chunks[i]), i == len(chunks)-1)
	}
	a := s.Attempt()
	require.NotNil(t, a, "%v", s.Response())
	a.ResponseHeaders(x.Answer, x.Bare)
	for i, chunks := 0, pieces(x.Body, cut); i < len(chunks) && !x.Bare; i++ {
		a.ResponseBody([]byte(chunks[i]), x.Ended && x.Trailers == nil && i == len(chunks)-1)
	}
	switch {
	case x.Trailers != nil:
		a.ResponseTrailers(x.Trailers)
	case !x.Ended:
		a.Reset(hosttest.RemoteReset)
	}
	require.True(t, s.Ended())
	log := s.AccessLog()
	require.NotNil(t, log)
	record := log.FilterState["wasm.postern.audit"] + log.FilterState[pipeline.AuditVariable]
	lines := n.Logs()
	for _, l := range lines[n.seen:] {
		if line, ok := strings.CutPrefix(l.Text, "postern: audit "); ok && record == "" {
			record = line // of a host that forgets a request before it tells the end
		}
	}
	n.seen = len(lines)
	return passed{messageOf(a.Request()), messageOf(s.Response()), record}
}

// pieces cuts a body; an empty one must end, too.
func pieces(body string, cut scenario.Cutter) []string {
	if body == "" {
		return []string{""}
	}
	return cut(body)
}

// files are all scenarios of the module that serves.
func files(t testing.TB) (list []*scenario.File) {
	names, err := filepath.Glob("../postern/testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		f, err := scenario.Read(name)
		require.NoError(t, err)
		list = append(list, f)
	}
	return list
}

// TestNothingChanges sends what the module that serves sends to providers, and what
// they answer, through a proxy with and without an observer: every message is the
// same, piece by piece. What the observer tells is what the other module told.
func TestNothingChanges(t *testing.T) {
	engines := engines(t)
	for _, f := range files(t) {
		exchanges, err := scenario.Exchanges(f, gateway.Native())
		require.NoError(t, err)
		if len(exchanges) == 0 {
			continue
		}
		for engine, module := range engines {
			for _, profile := range profiles() {
				if engine == "postern" && profile.Name() != "istio-wasmplugin" {
					continue // it is the same code
				}
				t.Run(strings.Join([]string{engine, profile.Name(), filepath.Base(f.Name)}, "/"), func(t *testing.T) {
					t.Parallel()
					bare, with := beside(t, nil, profile, f.Name, f.Config), beside(t, module, profile, f.Name, f.Config)
					for name, cut := range cuts(engine) {
						for _, x := range exchanges {
							got, want := with.pass(t, x, cut), bare.pass(t, x, cut)
							if profile.Name() == "apisix" { // which reads a body to show it, as it does to pass it on
								want.Sent.join()
							}
							require.Equal(t, want.Sent, got.Sent, name)
							require.Equal(t, want.Got, got.Got, name)
							told(t, x, got.Record, profile, name)
						}
					}
					require.Zero(t, with.Stats().Traps.Load())
					require.Empty(t, with.Misuse())
				})
			}
		}
	}
}

func cuts(engine string) map[string]scenario.Cutter {
	cuts := map[string]scenario.Cutter{"whole": scenario.Whole, "pieces": scenario.Pieces(1)}
	if engine == "native" {
		cuts["byte by byte"], cuts["other pieces"] = scenario.Bytes, scenario.Pieces(2)
	}
	return cuts
}

// account is what records of the same exchange must agree on.
type account struct {
	Mode, End, Finish, Dialect, API, Operation, UpstreamModel, Provider, Target string
	Status                                                                      int
	Usage                                                                       map[string]any
	Cost                                                                        map[string]any
	Error                                                                       struct{ Class, Source string }
	Degraded                                                                    []string
}

func read(t testing.TB, record string) (a account) {
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(record, `"upstream_model"`, `"UpstreamModel"`)), &a), record)
	return a
}

// told compares the records of an observer and of the module that serves.
func told(t testing.TB, x *scenario.Exchange, record string, profile hosttest.Profile, cut string) {
	got := read(t, record)
	require.Equal(t, "observe", got.Mode, cut)
	if x.Record == "" {
		return
	}
	want := read(t, x.Record)
	if want.End != "complete" || want.Error.Class != "" {
		return // the gateway had its own part in it
	}
	both := cut + ": " + x.Record + "\n" + record
	kept := want.Dialect == got.Dialect && want.API == got.API
	switch {
	case want.Usage["known"] == true:
		require.Equal(t, want.Usage, got.Usage, both)
		require.Equal(t, want.Cost, got.Cost, both)
	case kept: // the request's own bytes differ by what the gateway wrote into them
		require.Equal(t, want.Usage["output"], got.Usage["output"], both)
		require.Equal(t, want.Usage["estimated"], got.Usage["estimated"], both)
	}
	if kept && want.API != "invoke" { // whose bodies are of any family
		require.Equal(t, want.Finish, got.Finish, both)
		require.Equal(t, want.Operation, got.Operation, both)
	}
	require.Equal(t, want.Provider, got.Provider, both)
	if want.Operation != "passthrough" { // whose targets are made up
		require.Equal(t, want.Target, got.Target, both)
		require.Equal(t, want.UpstreamModel, got.UpstreamModel, both)
	}
}
