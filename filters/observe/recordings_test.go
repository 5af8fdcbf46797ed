package main

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/replay"
	"github.com/posterngw/postern/tools/scenario"
)

// TestRecordings has recorded traffic pass, as it was sent to providers and as they
// answered: no byte changes, and what the record counts is what another reader counts.
func TestRecordings(t *testing.T) {
	dir := os.Getenv("POSTERN_RECORDINGS")
	if dir == "" {
		t.Skip("POSTERN_RECORDINGS names no folder of recorded traffic")
	}
	list, err := replay.Read(dir)
	require.NoError(t, err)
	bare, with := neighbours(t)
	counted := 0
	for i := range list {
		x := &list[i]
		r := replay.RouteOf(x)
		n := with(r)
		one := recorded(x)
		cut := scenario.Pieces(uint64(i))
		got, want := n.pass(t, one, cut), bare.pass(t, one, cut)
		require.Equal(t, want.Sent, got.Sent, "%s:%d", x.File, x.Line)
		require.Equal(t, want.Got, got.Got, "%s:%d", x.File, x.Line)
		require.Zero(t, n.Stats().Traps.Load())
		said := replay.Counted(x)
		if said == nil {
			continue
		}
		counted++
		var record struct {
			Usage struct {
				Input      int64
				CacheRead  int64 `json:"cache_read"`
				CacheWrite int64 `json:"cache_write"`
				Hour       int64 `json:"cache_write_hour"`
				Audio      int64 `json:"input_audio"`
				Output     int64
				Reasoning  int64
				Spoken     int64 `json:"output_audio"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(got.Record), &record))
		u := record.Usage
		require.Equal(t, said.Input, u.Input+u.CacheRead+u.CacheWrite+u.Hour+u.Audio, "%s:%d %s\n%s", x.File, x.Line, x.URL, got.Record)
		require.Equal(t, said.Output, u.Output+u.Reasoning+u.Spoken, "%s:%d %s\n%s", x.File, x.Line, x.URL, got.Record)
	}
	require.Positive(t, counted)
	t.Logf("%d exchanges, of which %d count tokens", len(list), counted)
}

// neighbours are a proxy without a module, and those with one by what is recorded.
func neighbours(t *testing.T) (bare *neighbour, with func(replay.Route) *neighbour) {
	made := map[replay.Route]*neighbour{}
	text := func(r replay.Route) []byte {
		provider := map[string]any{"dialect": r.Dialect, "url": r.URL}
		if r.Flavour != "" {
			provider["flavour"] = r.Flavour
		}
		out, err := json.Marshal(map[string]any{"version": 1, "providers": map[string]any{"recorded": provider},
			"models":   map[string]any{"any": map[string]any{"targets": []any{map[string]any{"provider": "recorded", "model": "any"}}}},
			"identity": map[string]any{"anonymous": map[string]any{}}, "limits": map[string]any{"body": 8 << 20, "answer": 8 << 20, "in_flight": 64 << 20}})
		require.NoError(t, err)
		return out
	}
	plain := replay.Route{Dialect: "openai", URL: "https://any.test/v1"}
	bare = beside(t, nil, hosttest.IstioWasmPlugin(), "postern.json", text(plain))
	return bare, func(r replay.Route) *neighbour {
		r.Path, r.Version = "", ""
		if made[r] == nil {
			made[r] = beside(t, gateway.Observer(), hosttest.IstioWasmPlugin(), "postern.json", text(r))
		}
		return made[r]
	}
}

// recorded is a recording as an exchange, under the path of the provider.
func recorded(x *replay.Exchange) *scenario.Exchange {
	path := x.URL.EscapedPath()
	if x.URL.RawQuery != "" {
		path += "?" + x.URL.RawQuery
	}
	headers := [][2]string{{":method", x.Method}, {":path", path}, {":scheme", "https"}, {":authority", x.URL.Host}, {"content-length", strconv.Itoa(len(x.Request))}, {"x-request-id", x.ID}}
	for name, value := range x.Headers {
		if name != "content-length" && name != "host" && name != "x-request-id" {
			headers = append(headers, [2]string{name, value})
		}
	}
	answer := [][2]string{{":status", strconv.Itoa(x.Status)}}
	for name, value := range x.Answer {
		switch name {
		case "content-length", "transfer-encoding", "content-encoding", "connection": // recorded bodies are plain
		default:
			answer = append(answer, [2]string{name, value})
		}
	}
	return &scenario.Exchange{Cluster: "recorded", Request: request(headers, x.Request), Answer: answer, Body: string(x.Body), Ended: true}
}
