package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/gateway/gatewaytest"
	"github.com/posterngw/postern/tools/scenario"
)

// path is where `make wasm` puts what is tested.
const path = "../../build/postern.wasm"

// TestScenarios plays every file of testdata, natively and through the module.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for engine, module := range engines(t) {
		for _, file := range files {
			t.Run(engine+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				f, err := scenario.Read(file)
				require.NoError(t, err)
				_, err = scenario.Run(f, module, scenario.Whole)
				require.NoError(t, err)
			})
		}
	}
}

// maxCut bounds the bodies that are cut at every place, or fed byte by byte, and
// maxPlaces how many cuts near delimiters are tried through the module where a
// file is not thorough: of more, every n-th. Each cut starts a VM.
const (
	maxCut    = 2 << 10
	maxPlaces = 6
)

// thorough files are cut near every delimiter through the module, too.
func thorough(f *scenario.File) bool {
	return strings.HasPrefix(filepath.Base(f.Name), "stream")
}

// TestCuts plays every file with its bodies cut: natively at every place, through
// the module byte by byte, near every delimiter and at random. Neither what the
// client gets nor what is counted may depend on it.
func TestCuts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	for engine, module := range engines(t) {
		for _, file := range files {
			t.Run(engine+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				f, err := scenario.Read(file)
				require.NoError(t, err)
				want, err := scenario.Run(f, module, scenario.Whole)
				require.NoError(t, err)
				for name, cut := range cuts(f, engine) {
					got, err := scenario.Run(f, module, cut)
					require.NoError(t, err, name)
					require.Equal(t, want, got, name)
				}
			})
		}
	}
}

// Partitions at random: of files with a stream, and of others.
const (
	partitions = 64
	fewer      = 4
)

func cuts(f *scenario.File, engine string) map[string]scenario.Cutter {
	cuts := map[string]scenario.Cutter{}
	body, streams := longest(f)
	seeds, places := uint64(fewer), []int(nil)
	if streams {
		seeds, places = partitions, scenario.Delimiters(body)
	}
	if len(body) <= 2*maxCut {
		cuts["byte by byte"] = scenario.Bytes
	}
	for i := 0; i < len(body) && len(body) <= maxCut && streams && engine == "native"; i++ {
		cuts["at "+strconv.Itoa(i)] = scenario.At(i)
	}
	step := 1
	if engine == "wasm" && !thorough(f) {
		step, seeds = 1+len(places)/maxPlaces, fewer
	}
	for n := 0; n < len(places); n += step {
		cuts["at "+strconv.Itoa(places[n])] = scenario.At(places[n])
	}
	for seed := range seeds {
		cuts["pieces "+strconv.FormatUint(seed, 10)] = scenario.Pieces(seed)
	}
	return cuts
}

// longest is the longest body of a file, and whether a provider streams in it.
func longest(f *scenario.File) (body string, streams bool) {
	for i := range f.Steps {
		m := &f.Steps[i].Message
		if len(m.Body) > len(body) && f.Steps[i].Kind != scenario.Response {
			body = m.Body
		}
		for _, h := range m.Headers {
			streams = streams || h[0] == "content-type" && streamed(h[1])
		}
	}
	return body, streams
}

// streamed reports whether a content type is a stream's.
func streamed(kind string) bool {
	for _, known := range []string{"text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream"} {
		if strings.HasPrefix(kind, known) {
			return true
		}
	}
	return false
}

// engines are the module as Go code and as it ships.
func engines(t *testing.T) map[string]hosttest.Module {
	return map[string]hosttest.Module{"native": gateway.Native(), "wasm": gatewaytest.Built(t, path)}
}
