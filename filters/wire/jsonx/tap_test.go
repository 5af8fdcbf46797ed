package jsonx

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireTap feeds the chunks and compares with Scan: the same error at the same place, or the same members.
func requireTap(t *testing.T, tap *Tap, lim Limits, chunks ...[]byte) {
	var body []byte
	var got *Error
	tap.Reset()
	for _, c := range chunks {
		body = append(body, c...)
		if err := tap.Write(c); got == nil {
			got = err
		} else {
			require.Same(t, got, err)
		}
	}
	if err := tap.Close(); got == nil {
		got = err
	}
	d, want := Scan(body, testKeys, lim)
	if want != nil {
		require.NotNil(t, got, "%q %v", chunks, want)
		require.Equal(t, want.Code, got.Code, "%q %v %v", chunks, want, got)
		require.Equal(t, want.Offset, got.Offset, "%q %v", chunks, want)
		require.Equal(t, want.Key, got.Key, "%q", chunks)
		return
	}
	require.Nil(t, got, "%q", chunks)
	for i := range testKeys.Len() {
		raw, ok := tap.Get(i)
		v, found := d.Get(i)
		require.Equal(t, found, ok, "%q", chunks)
		require.Equal(t, string(v.Raw(body)), string(raw), "%q", chunks)
	}
}

func byBytes(body []byte) (chunks [][]byte) {
	for i := range body {
		chunks = append(chunks, body[i:i+1])
	}
	return chunks
}

func TestTapAtEveryCut(t *testing.T) {
	docs := []string{smallBody, string(chunkBody), ` {"\u006dodel":"\ud83d\ude00","stream" : [1,{"":-0.5e+7}] ,"":"日本語テキスト","é\n":null,"x":"\"\\"} `}
	for _, c := range badDocuments {
		docs = append(docs, c.body)
	}
	for _, doc := range docs {
		body, lim := []byte(doc), Limits{Depth: 3}
		if len(doc) > 100 {
			lim.Depth = 0
		}
		tap := NewTap(testKeys, 1000, lim)
		for i := range len(body) + 1 {
			requireTap(t, tap, lim, body[:i], body[i:])
		}
		requireTap(t, tap, lim, byBytes(body)...)
	}
}

func TestTapBounds(t *testing.T) {
	body := []byte(`{"model":"` + strings.Repeat("x", 50) + `","stream":true,"max_tokens":12}`)
	for i := range body {
		tap := NewTap(testKeys, 10, Limits{})
		require.Nil(t, tap.Write(body[:i]))
		require.Nil(t, tap.Write(body[i:]))
		require.Nil(t, tap.Close())
		_, ok := tap.Get(0)
		require.False(t, ok)
		raw, ok := tap.Get(1)
		require.True(t, ok)
		require.Equal(t, "true", string(raw))
		raw, _ = tap.Get(2)
		require.Equal(t, "12", string(raw))
	}
	_, ok := NewTap(nil, 10, Limits{}).Get(-1)
	require.False(t, ok)
}

func TestTapLimitsBytes(t *testing.T) {
	tap := NewTap(nil, 0, Limits{Bytes: 6})
	require.Nil(t, tap.Write([]byte(`{"a":`)))
	require.Equal(t, &Error{Code: CodeTooLarge, Offset: 6}, tap.Write([]byte(`1}`)))
	require.Equal(t, CodeTooLarge, tap.Close().Code)
}

// TestTapMemory holds a long document against memory: only captures and one name may be kept.
func TestTapMemory(t *testing.T) {
	tap := NewTap(testKeys, 100, Limits{})
	require.Nil(t, tap.Write([]byte(`{"model":"m","`)))
	text := []byte(strings.Repeat("k", 4096))
	allocs := testing.AllocsPerRun(100, func() {
		if tap.Write(text) != nil {
			t.Fail()
		}
	})
	require.Zero(t, allocs)
	require.Nil(t, tap.Write([]byte(`":"`)))
	allocs = testing.AllocsPerRun(100, func() {
		if tap.Write(text) != nil {
			t.Fail()
		}
	})
	require.Zero(t, allocs)
	require.Nil(t, tap.Write([]byte(`"}`)))
	require.Nil(t, tap.Close())
}

func FuzzTap(f *testing.F) {
	addSeeds(f)
	lim := Limits{Depth: 20}
	tap := NewTap(testKeys, 1<<20, lim)
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		requireTap(t, tap, lim, byBytes(body)...)
		rnd := rand.New(rand.NewPCG(seed, 1))
		var chunks [][]byte
		for rest := body; len(rest) > 0; {
			n := min(1+rnd.IntN(20), len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		requireTap(t, tap, lim, chunks...)
	})
}
