package dialect_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

func TestVectorAsBase64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float32Range(-1e30, 1e30), 0, 9).Draw(t, "values")
		var packed []byte
		for _, v := range values {
			packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(v))
		}
		raw, err := json.Marshal(values)
		require.NoError(t, err)
		w := dialect.Writer{B: []byte("[")}
		require.True(t, w.AppendVector(&llm.Vector{Values: raw}, true))
		text := base64.StdEncoding.EncodeToString(packed)
		require.Equal(t, `["`+text+`"`, string(w.B))
		back := dialect.Writer{B: []byte("[")}
		require.True(t, back.AppendVector(&llm.Vector{Base64: llm.Escaped(text)}, false))
		var read []float32
		require.NoError(t, json.Unmarshal(back.B[1:], &read))
		require.Equal(t, len(values), len(read))
		for i, v := range values {
			require.Equal(t, v, read[i])
		}
	})
}

func TestVectorAsItCame(t *testing.T) {
	w := dialect.Writer{B: []byte("[")}
	require.True(t, w.AppendVector(&llm.Vector{Values: llm.Raw("[1,2.50]")}, false))
	require.True(t, w.AppendVector(&llm.Vector{Base64: llm.Escaped("AACAPw==")}, true))
	require.True(t, w.AppendVector(&llm.Vector{Base64: llm.Escaped("AACAPwAAIMA=")}, false))
	require.False(t, w.AppendVector(&llm.Vector{Base64: llm.Escaped("not base64")}, false))
	require.Equal(t, `[[1,2.50],"AACAPw==",[1,-2.5],[]`, string(w.B))
}
