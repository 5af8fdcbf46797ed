package sse

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// result is a copy of an event, to compare. Absent fields are "-".
type result struct {
	name, data, id, retry string
	comment, unterminated bool
}

func copied(b []byte) string {
	if b == nil {
		return "-"
	}
	return "=" + string(b)
}

// feed runs the chunks through f, checks what holds for every event, and returns the events that are not lone blank lines, and
// all their bytes.
func feed(t require.TestingT, f *Framer, chunks ...[]byte) (out []result, raw []byte) {
	note := func(ev Event) {
		text := string(ev.Raw)
		if len(raw) == 0 {
			text = strings.TrimPrefix(text, "\xEF\xBB\xBF")
		}
		raw = append(raw, ev.Raw...)
		if strings.Trim(text, "\r\n") == "" {
			require.True(t, ev.Comment)
			require.Nil(t, ev.Data)
			return
		}
		out = append(out, result{copied(ev.Name), copied(ev.Data), copied(ev.ID), copied(ev.Retry), ev.Comment, ev.Unterminated})
	}
	for _, chunk := range chunks {
		at := 0
		f.Feed(chunk)
		for ev, ok := f.Next(); ok; ev, ok = f.Next() {
			require.False(t, ev.Unterminated)
			require.Less(t, at, ev.End)
			if ev.Start >= 0 {
				require.LessOrEqual(t, at, ev.Start)
				require.Equal(t, ev.Raw, chunk[ev.Start:ev.End])
				require.Same(t, &ev.Raw[0], &chunk[ev.Start], "a block in one chunk is not copied")
			} else {
				require.True(t, bytes.HasSuffix(ev.Raw, chunk[:ev.End]))
			}
			at = ev.End
			note(ev)
		}
		require.True(t, f.Rest() <= f.max || f.Rest() <= DefaultEvent && f.max <= 0)
	}
	rest := f.Rest()
	if ev, ok := f.Close(); ok {
		require.True(t, ev.Unterminated)
		require.Len(t, ev.Raw, rest)
		note(ev)
	}
	return out, raw
}

// naive reads a whole stream as WHATWG HTML 9.2.6 says, keeping what the standard would drop.
func naive(stream string) (out []result) {
	stream = strings.TrimPrefix(stream, "\xEF\xBB\xBF")
	stream = strings.ReplaceAll(stream, "\r\n", "\n")
	stream = strings.ReplaceAll(stream, "\r", "\n")
	r, lines, fields := result{}, 0, 0
	begin := func() { r, lines, fields = result{name: "-", data: "-", id: "-", retry: "-"}, 0, 0 }
	begin()
	all := strings.Split(stream, "\n")
	for i, line := range all {
		if line == "" && i < len(all)-1 {
			if lines > 0 {
				r.comment = fields == 0
				out = append(out, r)
			}
			begin()
			continue
		}
		if line == "" {
			break
		}
		lines++
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		if name != "" {
			fields++
		}
		switch {
		case name == "data" && r.data == "-":
			r.data = "=" + value
		case name == "data":
			r.data += "\n" + value
		case name == "event":
			r.name = "=" + value
		case name == "id" && !strings.Contains(value, "\x00"):
			r.id = "=" + value
		case name == "retry" && value != "" && strings.Trim(value, "0123456789") == "":
			r.retry = "=" + value
		}
	}
	if lines > 0 {
		r.comment, r.unterminated = fields == 0, true
		out = append(out, r)
	}
	return out
}

var streams = map[string]string{
	"empty":           "",
	"openai":          "data: {\"a\":1}\n\ndata: {\"a\":2}\n\ndata: [DONE]\n\n",
	"anthropic":       "event: message_start\ndata: {\"type\":\"message_start\"}\n\nevent: ping\ndata: {}\n\n",
	"crlf":            "event: x\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n",
	"cr":              "event: x\rdata: 1\r\rdata: 2\r\r",
	"mixed":           "data: a\rdata: b\ndata: c\r\n\ndata: d\n\r\ndata: e\r\n\rdata: f\n\n",
	"mark":            "\xEF\xBB\xBFdata: 1\n\ndata: 2\n\n",
	"mark and blank":  "\xEF\xBB\xBF\n\xEF\xBB\xBFdata: 2\n\n",
	"mark only":       "\xEF\xBB\xBF",
	"mark and crlf":   "\xEF\xBB\xBF\r\n\r\ndata: 2\r\n\r\n",
	"comments":        ": hi\n\n:\n\n: a\ndata: 1\n: b\n\n",
	"blank lines":     "\n\n\ndata: 1\n\n\n\r\n\r\rdata: 2\n\n\n",
	"data lines":      "data: a\ndata:b\ndata\ndata: \ndata:  c\n\ndata\ndata\n\ndata:\n\n",
	"fields":          "data\nevent\nid\nretry\n\nid: 1\nretry: 10\n\nid: a\x00b\nretry: 1x\n\nid: 2\nid: a\x00b\nevent: a\nevent: b\ndata: x\n\nretry:\nretry: 5\n\n",
	"unknown":         "foo: bar\n\nDATA: x\n\n data: y\n\ndata : z\n\n",
	"colons":          "data: a: b\n\ndata::\n\ndata: :x\n\n",
	"unterminated":    "data: 1\n\ndata: 2",
	"one line end":    "data: 1\n\ndata: 2\n",
	"cut in a field":  "data: 1\n\nda",
	"cut in comment":  ": x",
	"cr at the end":   "data: 1\r",
	"not UTF-8":       "data: \xFF\xC0\n\n",
	"long lines":      "data: " + strings.Repeat("x", 300) + "\ndata: " + strings.Repeat("y", 200) + "\n\ndata: z\n\n",
	"heartbeat lines": "\ndata: 1\n\n\n\n\n",
}

func TestEveryCut(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			want := naive(stream)
			f := new(Framer)
			check := func(chunks ...[]byte) {
				f.Init(Limits{})
				got, raw := feed(t, f, chunks...)
				require.Equal(t, want, got, "%q", chunks)
				require.Equal(t, stream, string(raw), "%q", chunks)
				require.Zero(t, f.Overflowed())
				require.Zero(t, f.Skipped())
			}
			whole := []byte(stream)
			check(whole)
			var bytewise [][]byte
			for i := range whole {
				check(whole[:i], whole[i:])
				check(whole[:i], nil, whole[i:i+1], whole[i+1:])
				bytewise = append(bytewise, whole[i:i+1])
			}
			check(bytewise...)
		})
	}
}

// TestAtOnce holds that an event goes out with the byte that completes it.
func TestAtOnce(t *testing.T) {
	for _, c := range []struct{ first, second string }{
		{"data: 1\n\n", "data: 2\n\n"},
		{"data: 1\r\n\r", "\ndata: 2\r\n\r"},
		{"data: 1\r\r", "data: 2\r\r"},
		{": ping\n\n", ": ping\n\n"},
		{"\n", "\n"},
	} {
		f := new(Framer)
		for _, chunk := range []string{c.first, c.second} {
			for i := range len(chunk) - 1 {
				f.Feed([]byte(chunk[i : i+1]))
				ev, ok := f.Next()
				require.False(t, ok && string(ev.Raw) != "\n", "%q", chunk)
			}
			f.Feed([]byte(chunk[len(chunk)-1:]))
			ev, ok := f.Next()
			require.True(t, ok)
			require.True(t, strings.HasSuffix(chunk, string(ev.Raw)))
			require.LessOrEqual(t, len(chunk)-1, len(ev.Raw))
			require.Zero(t, f.Rest())
		}
	}
}

func TestSplitCRLF(t *testing.T) {
	f := new(Framer)
	f.Feed([]byte("data: 1\r\n\r"))
	ev, ok := f.Next()
	require.True(t, ok)
	require.Equal(t, "data: 1\r\n\r", string(ev.Raw))
	_, ok = f.Next()
	require.False(t, ok)
	f.Feed([]byte("\ndata: 2\r"))
	ev, ok = f.Next()
	require.True(t, ok)
	require.Equal(t, Event{Raw: []byte("\n"), Comment: true, Start: 0, End: 1}, ev)
	_, ok = f.Next()
	require.False(t, ok)
	require.Equal(t, 8, f.Rest())
	f.Feed([]byte("\n\r\n"))
	ev, ok = f.Next()
	require.True(t, ok)
	require.Equal(t, "data: 2\r\n\r\n", string(ev.Raw))
	require.Equal(t, -1, ev.Start)
	require.Equal(t, 3, ev.End)
}

func TestOverflow(t *testing.T) {
	long := "data: " + strings.Repeat("x", 100) + "\n\n" // 108 bytes
	stream := "data: a\n\n" + long + "data: b\n\n" + long + long + ": c\n\ndata: d\n\n" + long[:60]
	for limit, want := range map[int][]string{
		108: {"=a", "=" + long[6:106], "=b", "=" + long[6:106], "=" + long[6:106], "-", "=d", "=" + long[6:60]},
		107: {"=a", "=b", "-", "=d", "=" + long[6:60]},
		59:  {"=a", "=b", "-", "=d"},
		8:   {"-"},
	} {
		for cut := range len(stream) + 1 {
			f := NewFramer(Limits{Event: limit})
			got, raw := feed(t, f, []byte(stream[:cut]), []byte(stream[cut:]))
			require.Equal(t, want, dataOf(got), "%d %d", limit, cut)
			require.Equal(t, len(stream), len(raw)+int(f.Skipped()))
			require.Equal(t, 8-len(want), f.Overflowed())
		}
	}
}

func dataOf(results []result) (out []string) {
	for _, r := range results {
		out = append(out, r.data)
	}
	return out
}

// TestOverflowIsBounded holds that an endless event takes no memory, in one line or in many, and is gone at the next blank line.
func TestOverflowIsBounded(t *testing.T) {
	for _, piece := range []string{strings.Repeat("x", 1000), strings.Repeat("data: y\r\n", 100), strings.Repeat(":\r", 500)} {
		f := NewFramer(Limits{Event: 4096})
		chunk := []byte(piece)
		f.Feed([]byte("data: "))
		f.Next()
		for range 1000 {
			f.Feed(chunk)
			_, ok := f.Next()
			require.False(t, ok)
			require.LessOrEqual(t, cap(f.carry), 3*4096)
			require.LessOrEqual(t, cap(f.block.join), 3*4096)
		}
		f.Feed([]byte("\n\ndata: back\n\n"))
		ev, ok := f.Next()
		require.True(t, ok)
		if ev.Comment { // the chunk ended in CR
			ev, _ = f.Next()
		}
		require.Equal(t, "back", string(ev.Data))
		require.Equal(t, 1, f.Overflowed())
	}
}

func TestBigCarryIsReleased(t *testing.T) {
	f := new(Framer)
	f.Feed(bytes.Repeat([]byte("x"), 1<<17))
	f.Next()
	f.Feed([]byte("\n\n"))
	_, ok := f.Next()
	require.True(t, ok)
	f.Next()
	require.Zero(t, cap(f.carry))
}

func TestForgottenNext(t *testing.T) {
	f := new(Framer)
	f.Feed([]byte("data: 1\n\ndata: 2\n\ndata: 3"))
	ev, ok := f.Next()
	require.True(t, ok)
	require.Equal(t, "1", string(ev.Data))
	f.Feed([]byte("33\n\ndata: 4\n\n"))
	ev, ok = f.Next()
	require.True(t, ok)
	require.Equal(t, "4", string(ev.Data))
	require.Equal(t, 1, f.Overflowed())
	require.EqualValues(t, 20, f.Skipped())

	f.Feed([]byte("data: 5\n\n"))
	_, ok = f.Close()
	require.False(t, ok)
	require.Equal(t, 2, f.Overflowed())
	f.Init(Limits{})
	require.Zero(t, f.Overflowed())
}

func TestCloseTwice(t *testing.T) {
	f := new(Framer)
	f.Feed([]byte("data: 1"))
	f.Next()
	_, ok := f.Close()
	require.True(t, ok)
	require.Zero(t, f.Rest())
	_, ok = f.Close()
	require.False(t, ok)
}

// partition cuts b into chunks of random sizes, empty ones too.
func partition(b []byte, rnd *rand.Rand, longest int) (chunks [][]byte) {
	for len(b) > 0 {
		n := min(rnd.IntN(longest+1), len(b))
		chunks = append(chunks, b[:n:n])
		b = b[n:]
	}
	return chunks
}

func FuzzFramer(f *testing.F) {
	for _, s := range streams {
		f.Add([]byte(s), uint64(1), uint8(0))
		f.Add([]byte(s), uint64(2), uint8(10))
	}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, limit uint8) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		chunks := partition(stream, rnd, 1+int(seed%30))
		framer := new(Framer)
		got, raw := feed(t, framer, chunks...)
		require.Equal(t, naive(string(stream)), got, "%q", chunks)
		require.Equal(t, string(stream), string(raw), "%q", chunks)

		framer.Init(Limits{Event: int(limit)})
		_, raw = feed(t, framer, chunks...)
		require.Equal(t, len(stream), len(raw)+int(framer.Skipped()), "%q", chunks)
	})
}

// TestStreamsOfLines draws streams from what matters to a framer, and compares with the naive reader at random cuts.
func TestStreamsOfLines(t *testing.T) {
	piece := rapid.SampledFrom([]string{"data", ":", " ", "\n", "\r", "\r\n", "\n\n", "id", "event", "retry", "7", "\x00", "x", "\xEF\xBB\xBF", "data: a\n", ": c\n"})
	rapid.Check(t, func(t *rapid.T) {
		stream := strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "pieces"), "")
		cuts := rapid.SliceOfN(rapid.IntRange(0, 8), len(stream), len(stream)).Draw(t, "sizes")
		var chunks [][]byte
		rest := []byte(stream)
		for _, n := range cuts {
			n = min(n, len(rest))
			chunks = append(chunks, rest[:n:n])
			rest = rest[n:]
		}
		got, raw := feed(t, new(Framer), append(chunks, rest)...)
		require.Equal(t, naive(stream), got)
		require.Equal(t, stream, string(raw))
	})
}
