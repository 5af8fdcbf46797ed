package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
)

var update = flag.Bool("update", false, "rewrite testdata")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 7_000_000, time.FixedZone("", 3600))

func sum(s string) Sum {
	d := NewDigest(SHA256)
	d.Write([]byte(s[:1]))
	d.Write([]byte(s[1:]))
	return d.Sum()
}

// full is a record with everything.
func full() *Record {
	return &Record{
		Time: noon, RequestID: "7a0b9a4e-1", StreamID: 12, End: UpstreamReset, Status: 200,
		Error:     Failure{Class: llm.ProviderError, Source: llm.FromProvider, Code: "stream_broken", Policy: "none"},
		Principal: identity.Principal{Organisation: "acme", Team: "search", Application: "bot", User: "ada", Environment: "test", Key: "ci-bot"},
		Dialect:   "openai", API: "chat", Operation: llm.Chat, Model: "fast", Asked: "gpt-99", Stream: true,
		Target: "eu/claude", Provider: "eu", System: "anthropic", UpstreamModel: "claude-sonnet-4-5", Boundary: "external",
		Decision: Decision{Made: true, Allowed: true, Policies: []string{"allow-search", "eu-only"}, Reason: "allowed", Shadow: true},
		Route: Route{Task: "code", Canary: "us/new", Obeyed: []string{"x-postern-task"}, Ignored: []string{"x-postern-route"}, Input: 12, Output: 34, Cost: 56, Repeat: 1,
			Order: []string{"cost", "weight"}, Plan: []Planned{{Target: "eu/gpt", Scores: []float64{1.25, math.Inf(1)}, Shut: true}, {Target: "eu/claude", Scores: []float64{1.5, 0.333333}}}},
		Excluded: []Excluded{{"us/gpt", "policy eu-only"}},
		Losses:   []Loss{{"seed", "dropped", "the API has none"}},
		Attempts: []Attempt{{"eu/gpt", 429, llm.RateLimited, 31 * time.Millisecond}, {"eu/claude", 200, llm.NoError, 900 * time.Millisecond}},
		Finish:   llm.FinishTool,
		Usage: llm.Usage{Input: 10, CacheRead: 20, CacheWrite: 30, CacheWriteHour: 35, InputAudio: 40, Output: 50, Reasoning: 60, OutputAudio: 70, Tier: llm.FlexTier,
			Known: true, Estimated: true, Partial: true},
		Cost: 1234, Currency: "USD", CostUnknown: true,
		Budgets:    []Movement{{Budget: "team", Unit: "tokens", Reserved: 500, Settled: 280, Remaining: 99000, Over: true, Unmetered: true}},
		FirstToken: 210 * time.Millisecond, Total: 1500 * time.Millisecond, BytesIn: 300, BytesOut: 4096, Overflowed: 1,
		RequestDigest: sum("question"), AnswerDigest: sum("answer"),
		TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: "b7ad6b7169203331",
		Config: "c-8f14e45f", Mode: "native", Degraded: []string{"failover"},
	}
}

func golden() map[string]*Record {
	return map[string]*Record{
		"full":  full(),
		"empty": {},
		"refused": {Time: noon, End: LocalReply, Status: 403, Dialect: "openai", API: "chat", Operation: llm.Chat, Model: "fast",
			Error:    Failure{Class: llm.PolicyError, Source: llm.FromPostern, Code: "forbidden", Policy: "default-deny"},
			Decision: Decision{Made: true, Policies: []string{"default-deny"}}},
		"awkward": {Time: noon, Asked: "a\"b\\c\n\x00\x1f\x7f\xff\xc3(é😀\u2028</script>",
			Principal: identity.Principal{User: strings.Repeat("x", maxText-3) + "é"}},
	}
}

func TestGolden(t *testing.T) {
	const file = "testdata/golden.txtar"
	if *update {
		var a txtar.Archive
		for _, name := range []string{"full", "empty", "refused", "awkward"} {
			a.Files = append(a.Files, txtar.File{Name: name, Data: append(golden()[name].Append(nil), '\n')})
		}
		require.NoError(t, os.WriteFile(file, txtar.Format(&a), 0o644))
	}
	a, err := txtar.ParseFile(file)
	require.NoError(t, err)
	require.Len(t, a.Files, len(golden()))
	for _, f := range a.Files {
		t.Run(f.Name, func(t *testing.T) {
			got := golden()[f.Name].Append([]byte("before "))
			require.Equal(t, "before "+strings.TrimSuffix(string(f.Data), "\n"), string(got))
			require.True(t, json.Valid(got[len("before "):]))
		})
	}
}

// paths lists the keys of a JSON value in order.
func paths(t *testing.T, d *json.Decoder, prefix string, out *[]string) {
	token, err := d.Token()
	require.NoError(t, err)
	switch token {
	case json.Delim('{'):
		for d.More() {
			key, err := d.Token()
			require.NoError(t, err)
			*out = append(*out, prefix+key.(string))
			paths(t, d, prefix+key.(string)+".", out)
		}
		_, err = d.Token()
	case json.Delim('['):
		for first := true; d.More(); first = false {
			var rest []string
			if paths(t, d, strings.TrimSuffix(prefix, ".")+"[].", &rest); first {
				*out = append(*out, rest...)
			}
		}
		_, err = d.Token()
	}
	require.NoError(t, err)
}

func TestReference(t *testing.T) {
	r := full()
	r.Attempts[0], r.Attempts[1] = r.Attempts[1], r.Attempts[0]
	r.Attempts[0].Class = llm.Overloaded
	for range maxItems {
		r.Degraded = append(r.Degraded, "more")
	}
	var got, want []string
	paths(t, json.NewDecoder(bytes.NewReader(r.Append(nil))), "", &got)
	for _, f := range Reference() {
		want = append(want, f.Path)
		require.NotEmpty(t, f.Doc, f.Path)
		require.NotEmpty(t, f.Kind, f.Path)
	}
	require.Equal(t, want, got, "the reference lists what a full record has, in its order")
}

func TestBounded(t *testing.T) {
	r := full()
	bad := strings.Repeat("\x01", 5000)
	for _, s := range []*string{&r.RequestID, &r.Asked, &r.Target, &r.Principal.User, &r.Decision.Reason, &r.Error.Code} {
		*s = bad
	}
	for range 100 {
		r.Excluded = append(r.Excluded, Excluded{bad, bad})
		r.Attempts = append(r.Attempts, Attempt{Target: bad})
		r.Budgets = append(r.Budgets, Movement{Budget: bad})
		r.Degraded = append(r.Degraded, bad)
	}
	got := r.Append(nil)
	require.LessOrEqual(t, len(got), MaxRecord)
	require.Greater(t, len(got), MaxRecord-scalars-600)
	var m map[string]any
	require.NoError(t, json.Unmarshal(got, &m))
	require.Equal(t, true, m["truncated"])
	require.Equal(t, "native", m["mode"], "what fits is there, though it stands behind what does not")
	require.NotContains(t, m, "degraded")
}

func TestFail(t *testing.T) {
	var r Record
	r.Fail(nil)
	require.Zero(t, r.Error)
	r.Fail(&llm.Error{Class: llm.AuthError, Source: llm.FromPostern, Code: "invalid_api_key", Message: "hello", Cause: "secret"})
	require.Equal(t, Failure{Class: llm.AuthError, Source: llm.FromPostern, Code: "invalid_api_key"}, r.Error)
	require.NotContains(t, string(r.Append(nil)), "secret")
}

func TestReset(t *testing.T) {
	r := full()
	r.Reset()
	require.Equal(t, string((&Record{}).Append(nil)), string(r.Append(nil)))
	require.NotZero(t, cap(r.Attempts))
	require.Empty(t, End(200).String())
}

func TestDigest(t *testing.T) {
	want := sha256.Sum256([]byte("question"))
	s := sum("question")
	require.Equal(t, hex.EncodeToString(want[:]), hex.EncodeToString(s.sum[:]))
	none := NewDigest(None)
	none.Write([]byte("x"))
	require.Equal(t, Sum{}, none.Sum())
}

func TestConfig(t *testing.T) {
	c := &Config{}
	require.NoError(t, config.Verify(Fields(c)).Err())
	require.NoError(t, config.Decode(nil, Fields(c)).Err())
	require.Equal(t, Config{Records: true, Digests: None}, *c)
}

// TestNoPlaceForContent holds the types that a record may have: a field of
// bytes or of headers would be a place for content.
func TestNoPlaceForContent(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(x reflect.Type) {
		switch x.Kind() {
		case reflect.Struct:
			for i := range x.NumField() {
				if x.Field(i).IsExported() && x != reflect.TypeFor[time.Time]() {
					walk(x.Field(i).Type)
				}
			}
		case reflect.Slice:
			require.NotEqual(t, reflect.Uint8, x.Elem().Kind())
			walk(x.Elem())
		case reflect.Map, reflect.Interface, reflect.Pointer, reflect.Func:
			t.Fatal(x)
		}
	}
	walk(reflect.TypeFor[Record]())
}

func FuzzAppend(f *testing.F) {
	f.Add("a\"b", "\xff\xfe\\", "é😀", 3, int64(-5))
	f.Add(strings.Repeat("é", 200), strings.Repeat("\x00", 300), "", 40, int64(1)<<62)
	f.Fuzz(func(t *testing.T, a, b, c string, n int, v int64) {
		r := &Record{Time: noon, RequestID: a, Asked: b, UpstreamModel: c, Cost: v, Currency: a, Status: n, BytesIn: v,
			Decision: Decision{Policies: []string{a, b, c}, Reason: b}}
		for i := range min(max(0, n), 50) {
			r.Excluded = append(r.Excluded, Excluded{a, b + strconv.Itoa(i)})
			r.Attempts = append(r.Attempts, Attempt{Target: c, Took: time.Duration(v)})
		}
		got := r.Append(nil)
		require.LessOrEqual(t, len(got), MaxRecord)
		require.True(t, json.Valid(got), string(got))
		require.True(t, utf8.Valid(got))
		require.NotContains(t, string(got), "\n")
		var back struct {
			RequestID string `json:"request_id"`
			Truncated bool
		}
		require.NoError(t, json.Unmarshal(got, &back))
		if !back.Truncated {
			require.Equal(t, strings.ToValidUTF8(each(a), "�"), back.RequestID)
		}
	})
}

// each replaces every byte that is not UTF-8 by itself, as encoding/json does.
func each(s string) string { return string([]rune(s)) }

// BenchmarkAppend writes what a usual request leaves, BenchmarkAppendFull a
// record with everything.
func BenchmarkAppend(b *testing.B) {
	r := full()
	r.Error, r.Asked, r.Excluded, r.Losses, r.Attempts, r.Degraded = Failure{}, "", nil, nil, r.Attempts[1:], nil
	r.RequestDigest, r.AnswerDigest, r.Usage = Sum{}, Sum{}, llm.Usage{Input: 10, Output: 50, Known: true}
	benchmark(b, r)
}

func BenchmarkAppendFull(b *testing.B) { benchmark(b, full()) }

func benchmark(b *testing.B, r *Record) {
	buf := r.Append(nil)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = r.Append(buf[:0])
	}
}

func BenchmarkDigest1KB(b *testing.B) {
	d, p := NewDigest(SHA256), make([]byte, 1024)
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		d.Write(p)
	}
}
