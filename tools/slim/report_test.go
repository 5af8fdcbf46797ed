package slim

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPackageOf(t *testing.T) {
	for name, want := range map[string]string{
		"runtime.gopanic":                           "runtime",
		"internal/runtime/maps.(*Map).grow":         "internal/runtime/maps",
		"example.com/a/b.v2.F":                      "example.com/a/b",
		"type:.eq.example.com/a/b.T":                "example.com/a/b",
		"slices.SortFunc[go.shape.[]example.com/T]": "slices",
		"example.com/a.(*T[example.com/b.X]).F":     "example.com/a",
		"_rt0_wasm_wasip1_lib":                      "_rt0_wasm_wasip1_lib",
	} {
		require.Equal(t, want, packageOf(name), name)
	}
}

func TestReport(t *testing.T) {
	var w assembler
	w.op(opConst, 0)
	w.op(opEnd, 0)
	f := function{locals: []byte{0}, code: w.code}
	m := running(f.encode())
	memory, err := load(*m.body(data))
	require.NoError(t, err)
	var out bytes.Buffer
	require.ErrorIs(t, Report(&out, m.append(nil)), errTable)

	const at = 130_000 // of the table of functions
	table := wanted()[tableAt : tableAt+functionsN*perFunction*entrySize]
	memory = append(memory, make([]byte, at-len(memory))...)
	*m.body(data) = store(append(memory, table...))
	*m.body(memories) = []byte{1, 0, 16}
	require.NoError(t, Report(&out, m.append(nil)))
	require.Regexp(t, `\n +\d+ +\d+ +2  code of main\n`, out.String())
	require.Regexp(t, `\n +\d+ +\d+ +1  code of runtime\n`, out.String())
	require.Regexp(t, `\n +\d{6} +\d+ +module\n$`, out.String())
}
