package eventstream

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// vectors are messages that another implementation wrote.
func vectors(t testing.TB) map[string][]byte {
	raw, err := os.ReadFile("testdata/vectors.txtar")
	require.NoError(t, err)
	all := map[string][]byte{}
	for _, f := range txtar.Parse(raw).Files {
		b, err := hex.DecodeString(strings.TrimSpace(string(f.Data)))
		require.NoError(t, err)
		all[f.Name] = b
	}
	require.Len(t, all, 4)
	return all
}

// describe is what a framer reads, in words: a line for each message, and how it ended.
func describe(lim Limits, chunks ...[]byte) string {
	var b strings.Builder
	f := NewFramer(lim)
	for _, chunk := range chunks {
		own := append([]byte(nil), chunk...)
		f.Feed(own)
		for m, ok := f.Next(); ok; m, ok = f.Next() {
			if m.Start >= 0 && string(own[m.Start:m.End]) != string(m.Raw) {
				return "the place of a message is wrong"
			}
			for h, ok := m.Headers.Next(); ok; h, ok = m.Headers.Next() {
				fmt.Fprintf(&b, "%s(%d)=%q/%d ", h.Name, h.Type, h.Value, h.Number())
			}
			fmt.Fprintf(&b, "%q\n", m.Payload)
		}
		for i := range own { // a view kept too long shows
			own[i] = '#'
		}
	}
	if err := f.Close(); err != nil {
		fmt.Fprintf(&b, "%d: %s", err.Offset, err)
	}
	return b.String()
}

func TestVectors(t *testing.T) {
	v := vectors(t)
	require.Equal(t, "\"\"\n", describe(Limits{}, v["empty"]))
	require.Equal(t, "\"{\\\"a\\\":1}\"\n", describe(Limits{}, v["payload"]))
	require.Equal(t, `:event-type(7)="messageStart"/0 :content-type(7)="application/json"/0 :message-type(7)="event"/0 `+
		"\"{\\\"role\\\":\\\"assistant\\\"}\"\n", describe(Limits{}, v["event"]))
	require.Equal(t, `t(0)=""/1 f(1)=""/0 byte(2)="\xff"/-1 short(3)="\xff\xfe"/-2 int(4)="\xff\xff\xff\xfd"/-3 `+
		`long(5)="\xff\xff\xff\xff\xff\xff\xff\xfc"/-4 bytes(6)="\x00\xff"/0 string(7)="é"/0 `+
		`time(8)="\x00\x00\x01\x8b\xcf\xe5h{"/1700000000123 uuid(9)="0123456789abcdef"/0 `+"\"\"\n", describe(Limits{}, v["types"]))
}

func TestWriter(t *testing.T) {
	w := Writer{B: []byte("before")}
	w.Begin()
	w.Text(":event-type", "messageStart")
	w.Text(":content-type", "application/json")
	w.Text(":message-type", "event")
	w.Body()
	w.B = append(w.B, `{"role":"assistant"}`...)
	w.End()
	require.Equal(t, "before"+string(vectors(t)["event"]), string(w.B))

	w = Writer{}
	w.Begin()
	w.Text(strings.Repeat("n", 300), strings.Repeat("v", 70_000))
	w.Body()
	w.End()
	f := NewFramer(Limits{})
	f.Feed(w.B)
	m, ok := f.Next()
	require.True(t, ok)
	h, ok := m.Headers.Next()
	require.True(t, ok)
	require.Len(t, h.Name, 255)
	require.Len(t, h.Value, 65535)
}

// stream is all vectors, one after the other.
func stream(t testing.TB) []byte {
	v := vectors(t)
	var all []byte
	for _, name := range []string{"event", "empty", "types", "payload", "event"} {
		all = append(all, v[name]...)
	}
	return all
}

func TestEveryCut(t *testing.T) {
	s := stream(t)
	want := describe(Limits{}, s)
	require.Equal(t, 5, strings.Count(want, "\n"))
	for i := range s {
		require.Equal(t, want, describe(Limits{}, s[:i], s[i:]), i)
		for j := i; j < len(s); j += 7 {
			require.Equal(t, want, describe(Limits{}, s[:i], s[i:j], nil, s[j:]))
		}
	}
	var bytes [][]byte
	for i := range s {
		bytes = append(bytes, s[i:i+1])
	}
	require.Equal(t, want, describe(Limits{}, bytes...))
}

// TestEveryEnd ends the stream after every byte.
func TestEveryEnd(t *testing.T) {
	one := vectors(t)["event"]
	for i := 1; i < len(one); i++ {
		require.Equal(t, "0: event stream: the stream ended within a message", describe(Limits{}, one[:i]), i)
	}
	require.Empty(t, describe(Limits{}))
}

// TestEveryBit turns every bit of a message over: each is noticed, and nothing
// of the message is handed out.
func TestEveryBit(t *testing.T) {
	one := vectors(t)["event"]
	for i := range one {
		for bit := range 8 {
			bad := append([]byte(nil), one...)
			bad[i] ^= 1 << bit
			got := describe(Limits{}, bad, one)
			require.True(t, strings.HasPrefix(got, "0: event stream: "), "%d.%d: %s", i, bit, got)
		}
	}
}

// repaired is a message with right checksums, whatever else it says.
func repaired(m []byte) []byte {
	binary.BigEndian.PutUint32(m[8:], crc32.ChecksumIEEE(m[:8]))
	end := len(m) - crcSize
	binary.BigEndian.PutUint32(m[end:], crc32.ChecksumIEEE(m[:end]))
	return m
}

func TestErrors(t *testing.T) {
	edit := func(f func(m []byte)) []byte {
		m := append([]byte(nil), vectors(t)["event"]...)
		f(m)
		return repaired(m)
	}
	whole := vectors(t)["event"]
	for name, c := range map[string]struct {
		in   []byte
		lim  int
		code Code
	}{
		"prelude":             {append(append([]byte(nil), whole[:11]...), whole[11]^1), 0, BadPrelude},
		"too short":           {edit(func(m []byte) { binary.BigEndian.PutUint32(m, 15) }), 0, BadLength},
		"headers too long":    {edit(func(m []byte) { binary.BigEndian.PutUint32(m[4:], uint32(len(m))) }), 0, BadLength},
		"headers huge":        {edit(func(m []byte) { binary.BigEndian.PutUint32(m[4:], 1<<32-1) }), 0, BadLength},
		"over the limit":      {whole, len(whole) - 1, TooLarge},
		"huge":                {edit(func(m []byte) { binary.BigEndian.PutUint32(m, 1<<32-1) }), 0, TooLarge},
		"over the default":    {edit(func(m []byte) { binary.BigEndian.PutUint32(m, DefaultMessage+1) }), 0, TooLarge},
		"message":             {append(append([]byte(nil), whole[:len(whole)-1]...), whole[len(whole)-1]^1), 0, BadMessage},
		"unknown type":        {edit(func(m []byte) { m[preludeSize+12] = byte(types) }), 0, BadHeaders},
		"name beyond the end": {edit(func(m []byte) { m[preludeSize] = 255 }), 0, BadHeaders},
		"no name":             {edit(func(m []byte) { m[preludeSize] = 0 }), 0, BadHeaders},
		"value beyond":        {edit(func(m []byte) { m[preludeSize+13] = 255 }), 0, BadHeaders},
		"cut":                 {whole[:len(whole)-1], 0, Truncated},
	} {
		t.Run(name, func(t *testing.T) {
			f := NewFramer(Limits{Message: c.lim})
			f.Feed(c.in)
			_, ok := f.Next()
			require.False(t, ok)
			err := f.Close()
			require.NotNil(t, err)
			require.Equal(t, c.code, err.Code)
			require.NotEqual(t, "event stream: ", err.Error())
			f.Feed(whole)
			_, ok = f.Next()
			require.False(t, ok, "there is no way back")
		})
	}
	require.Empty(t, Code(99).String())
	f := NewFramer(Limits{})
	f.Feed(append(append([]byte(nil), whole...), make([]byte, minMessage)...))
	_, ok := f.Next()
	require.True(t, ok)
	_, ok = f.Next()
	require.False(t, ok)
	require.Equal(t, int64(len(whole)), f.Err().Offset)
}

func TestText(t *testing.T) {
	f := NewFramer(Limits{})
	f.Feed(vectors(t)["types"])
	m, _ := f.Next()
	require.Equal(t, "é", string(m.Headers.Text("string")))
	require.Nil(t, m.Headers.Text("bytes"), "only strings are text")
	require.Nil(t, m.Headers.Text("none"))
}

// TestAllocations holds the framer to no memory of its own for messages that come
// whole, and to the one carry for those that do not.
func TestAllocations(t *testing.T) {
	s := stream(t)
	f := NewFramer(Limits{})
	feed := func(chunks ...[]byte) {
		for _, c := range chunks {
			f.Feed(c)
			for m, ok := f.Next(); ok; m, ok = f.Next() {
				_ = m
			}
		}
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { feed(s) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { feed(s[:50], s[50:]) }))
	require.Nil(t, f.Err())
}

func FuzzFramer(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v, uint64(1))
	}
	f.Add(stream(f), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		lim := Limits{Message: 1 << 10}
		want := describe(lim, data)
		random := rand.New(rand.NewPCG(seed, 0))
		var chunks [][]byte
		for rest := data; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			chunks, rest = append(chunks, rest[:n]), rest[n:]
		}
		require.Equal(t, want, describe(lim, chunks...))
	})
}

func BenchmarkFramer(b *testing.B) {
	s := stream(b)
	f := NewFramer(Limits{})
	b.ReportAllocs()
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		f.Feed(s)
		for m, ok := f.Next(); ok; m, ok = f.Next() {
			_ = m
		}
	}
}
