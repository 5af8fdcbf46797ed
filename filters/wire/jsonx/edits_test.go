package jsonx

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func applied(t require.TestingT, e *Edits, body string) string {
	out := string(e.Apply([]byte("dst:"), []byte(body)))
	require.True(t, strings.HasPrefix(out, "dst:"))
	require.Equal(t, len(out)-4-len(body), e.Len())
	return out[4:]
}

func TestReplace(t *testing.T) {
	const body = "0123456789"
	type step struct {
		start, end int
		with       string
	}
	for _, c := range []struct {
		name     string
		steps    []step
		want     string
		conflict bool
	}{
		{"none", nil, body, false},
		{"one", []step{{2, 4, "x"}}, "01x456789", false},
		{"out of order", []step{{8, 9, "c"}, {0, 1, "a"}, {4, 6, ""}}, "a12367c9", false},
		{"adjacent", []step{{2, 4, "x"}, {4, 6, "y"}, {0, 2, "w"}}, "wxy6789", false},
		{"inserts in order", []step{{5, 5, "a"}, {5, 5, "b"}}, "01234ab56789", false},
		{"inserts at the ends", []step{{10, 10, "z"}, {0, 0, "a"}}, "a0123456789z", false},
		{"insert before", []step{{2, 4, "x"}, {2, 2, "i"}}, "01ix456789", false},
		{"insert then replace", []step{{2, 2, "i"}, {2, 4, "x"}}, "01ix456789", false},
		{"insert behind", []step{{2, 4, "x"}, {4, 4, "i"}}, "01xi456789", false},
		{"insert at the end then replace", []step{{4, 4, "i"}, {2, 4, "x"}}, "01xi456789", false},
		{"same again", []step{{2, 4, "x"}, {2, 4, "yy"}}, "01yy456789", false},
		{"covers", []step{{2, 3, "x"}, {4, 4, "i"}, {5, 6, "y"}, {1, 7, "-"}}, "0-789", false},
		{"covers, keeps inserts at its ends", []step{{2, 2, "a"}, {5, 5, "b"}, {2, 5, "-"}}, "01a-b56789", false},
		{"inside", []step{{1, 7, "-"}, {2, 3, "x"}}, "0-789", true},
		{"insert inside", []step{{1, 7, "-"}, {3, 3, "x"}}, "0-789", true},
		{"overlaps left", []step{{3, 6, "-"}, {2, 4, "x"}}, "012-6789", true},
		{"overlaps right", []step{{3, 6, "-"}, {5, 8, "x"}}, "012-6789", true},
		{"overlaps two", []step{{0, 2, "a"}, {4, 6, "b"}, {1, 5, "x"}}, "a23b6789", true},
		{"covers one, overlaps another", []step{{0, 3, "a"}, {4, 5, "b"}, {2, 6, "x"}}, "a3b56789", true},
		{"backwards", []step{{4, 2, "x"}}, body, true},
		{"negative", []step{{-1, 2, "x"}}, body, true},
		{"beyond", []step{{8, 11, "x"}}, body, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e Edits
			for _, s := range c.steps {
				if s.start == s.end {
					e.Insert(s.start, []byte(s.with))
				} else {
					e.Replace(Span{s.start, s.end}, []byte(s.with))
				}
			}
			require.Equal(t, c.want, string(e.Apply(nil, []byte(body))))
			require.Equal(t, c.conflict, e.Conflict())
			e.Reset()
			require.Equal(t, body, applied(t, &e, body))
			require.False(t, e.Conflict())
		})
	}
}

func TestMembersEdited(t *testing.T) {
	keys := NewKeys("a", "b", "c", "d")
	type op struct {
		key   int
		name  string
		value string // empty: remove
	}
	for _, c := range []struct {
		name, body, want string
		ops              []op
	}{
		{"set", `{"a":1, "x":2}`, `{"a":9, "x":2}`, []op{{0, "a", "9"}}},
		{"append", "{\"x\":1\n}", "{\"x\":1,\"a\":9\n}", []op{{0, "a", "9"}}},
		{"append two", `{"x":1}`, `{"x":1,"a":9,"b":8}`, []op{{0, "a", "9"}, {1, "b", "8"}}},
		{"append to empty", `{ }`, `{"a":9,"b":8 }`, []op{{0, "a", "9"}, {1, "b", "8"}}},
		{"append unseen", `{"x":1}`, `{"x":1,"q\"":9}`, []op{{-1, `q"`, "9"}}},
		{"set twice", `{"x":1}`, `{"x":1,"a":8}`, []op{{0, "a", "9"}, {0, "a", "8"}}},
		{"remove first", `{ "a":1 , "x":2}`, `{ "x":2}`, []op{{0, "a", ""}}},
		{"remove last", `{"x":2 , "a":1 }`, `{"x":2  }`, []op{{0, "a", ""}}},
		{"remove middle", `{"x":2, "a":1, "y":3}`, `{"x":2, "y":3}`, []op{{0, "a", ""}}},
		{"remove only", `{ "a":1 }`, `{  }`, []op{{0, "a", ""}}},
		{"remove all", `{"a":1, "b":2,"c":3}`, `{}`, []op{{2, "c", ""}, {0, "a", ""}, {1, "b", ""}}},
		{"remove last two", `{"x":0,"a":1, "b":2}`, `{"x":0}`, []op{{1, "b", ""}, {0, "a", ""}}},
		{"remove ends", `{"a":1,"x":0,"b":2}`, `{"x":0}`, []op{{1, "b", ""}, {0, "a", ""}}},
		{"remove around", `{"a":1,"x":0,"b":2,"y":9,"c":3,"d":4}`, `{"x":0,"y":9}`, []op{{0, "a", ""}, {1, "b", ""}, {2, "c", ""}, {3, "d", ""}}},
		{"remove and append", `{"x":0,"a":1}`, `{"x":0,"b":2}`, []op{{0, "a", ""}, {1, "b", "2"}}},
		{"remove all and append", `{"a":1}`, `{"b":2}`, []op{{1, "b", "2"}, {0, "a", ""}}},
		{"remove absent", `{"x":1}`, `{"x":1}`, []op{{0, "a", ""}, {-1, "", ""}, {99, "", ""}}},
		{"remove twice", `{"x":1,"a":2}`, `{"x":1}`, []op{{0, "a", ""}, {0, "a", ""}}},
		{"set then remove", `{"x":1,"a":2}`, `{"x":1}`, []op{{0, "a", "9"}, {0, "a", ""}}},
		{"remove then set", `{"x":1,"a":2}`, `{"x":1,"a":9}`, []op{{0, "a", ""}, {0, "a", "9"}}},
		{"append then remove", `{"x":1}`, `{"x":1}`, []op{{0, "a", "9"}, {0, "a", ""}}},
		{"disguised", `{"\u0061":1}`, `{"\u0061":9}`, []op{{0, "a", "9"}}},
		{"comma in a text before", `{"x":"," ,"a":1}`, `{"x":"," }`, []op{{0, "a", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Scan([]byte(c.body), keys, Limits{})
			require.Nil(t, err)
			var e Edits
			for range 2 {
				for _, o := range c.ops {
					if o.value == "" {
						e.RemoveMember(&d, o.key)
					} else {
						e.SetMember(&d, o.key, o.name, []byte(o.value))
					}
				}
				require.Equal(t, c.want, applied(t, &e, c.body))
				require.Equal(t, c.want, applied(t, &e, c.body))
				require.False(t, e.Conflict())
				e.Reset()
			}
		})
	}
}

func TestRemoveTakesEditsInside(t *testing.T) {
	body := `{"x":1,"a":{"b":[1,2]}}`
	d, _ := Scan([]byte(body), NewKeys("a"), Limits{})
	var e Edits
	e.Replace(Span{17, 18}, []byte("9"))
	require.Equal(t, `{"x":1,"a":{"b":[9,2]}}`, applied(t, &e, body))
	e.RemoveMember(&d, 0)
	require.Equal(t, `{"x":1}`, applied(t, &e, body))
	require.False(t, e.Conflict())
}

// TestReplaceKeepsTheRest holds Replace and Insert against cutting and pasting from the back.
func TestReplaceKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "body")
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(body)), 0, 8).Draw(t, "cuts")
		slices.Sort(cuts)
		var edits []edit
		for i := 0; i+1 < len(cuts); i += 2 {
			s := Span{cuts[i], cuts[i+1]}
			if n := len(edits); n > 0 && edits[n-1].End == s.Start && s.Len()*edits[n-1].Len() == 0 {
				continue // the order of touching inserts is held elsewhere
			}
			edits = append(edits, edit{s, rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "with")})
		}
		want := slices.Clone(body)
		for _, c := range slices.Backward(edits) {
			want = slices.Concat(want[:c.Start], c.with, want[c.End:])
		}
		var e Edits
		for _, i := range rapid.Permutation(indexes(len(edits))).Draw(t, "order") {
			e.Replace(edits[i].Span, edits[i].with)
		}
		require.Equal(t, len(want)-len(body), e.Len())
		require.Equal(t, string(want), string(e.Apply(nil, body)))
		require.False(t, e.Conflict())
	})
}

func indexes(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// TestOverlapsNeverMix throws any edits at one body: what comes out is always made of whole edits and untouched bytes in order.
func TestOverlapsNeverMix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := bytes.Repeat([]byte("."), 12)
		var e Edits
		for i := range rapid.IntRange(0, 8).Draw(t, "n") {
			start := rapid.IntRange(0, 12).Draw(t, "start")
			e.Replace(Span{start, rapid.IntRange(start, 12).Draw(t, "end")}, []byte{'a' + byte(i)})
		}
		at := 0
		for _, c := range e.list {
			require.LessOrEqual(t, at, c.Start)
			require.LessOrEqual(t, c.Start, c.End)
			at = c.End
		}
		require.Len(t, e.Apply(nil, body), len(body)+e.Len())
	})
}

type pair struct{ key, whole string }

func pairs(raw []byte) (out []pair) {
	for it := Members(raw); it.Next(); {
		m := it.Member()
		out = append(out, pair{string(Unescape(nil, it.Key())), string(raw[m.Start:m.End])})
	}
	return out
}

// TestMembersModel runs random sets and removals against a list of members.
func TestMembersModel(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	keys := NewKeys(names...)
	rapid.Check(t, func(t *rapid.T) {
		body := drawObject(t, names)
		d, err := Scan(body, keys, Limits{})
		require.Nil(t, err)
		model := pairs(body)
		var e Edits
		for range rapid.IntRange(0, 6).Draw(t, "ops") {
			k := rapid.IntRange(0, 3).Draw(t, "key")
			at := slices.IndexFunc(model, func(p pair) bool { return p.key == names[k] })
			if rapid.Bool().Draw(t, "remove") {
				e.RemoveMember(&d, k)
				if at >= 0 {
					model = slices.Delete(model, at, at+1)
				}
				continue
			}
			value := rapid.SampledFrom([]string{"9", `"y"`, `[1, 2]`}).Draw(t, "value")
			e.SetMember(&d, k, names[k], []byte(value))
			model = modelSet(model, pairs(body), at, names[k], value)
		}
		out := e.Apply(nil, body)
		require.True(t, json.Valid(out), "%s", out)
		require.True(t, slices.Equal(model, pairs(out)), "%s %v", out, model)
		require.False(t, e.Conflict())
	})
}

// modelSet sets a member of the list. One of the original body that was removed before comes back to its place.
func modelSet(model, original []pair, at int, name, value string) []pair {
	was := slices.IndexFunc(original, func(p pair) bool { return p.key == name })
	if was < 0 {
		set := pair{name, `"` + name + `":` + value}
		if at < 0 {
			return append(model, set)
		}
		model[at] = set
		return model
	}
	whole := original[was].whole
	set := pair{name, whole[:len(whole)-1] + value} // the values of drawObject are one byte long
	if at >= 0 {
		model[at] = set
		return model
	}
	place := 0
	for _, p := range original[:was] {
		if slices.ContainsFunc(model, func(q pair) bool { return q.key == p.key }) {
			place++
		}
	}
	return slices.Insert(model, place, set)
}

func drawObject(t *rapid.T, names []string) []byte {
	space := rapid.SampledFrom([]string{"", " ", "\n\t"})
	all := rapid.Permutation(append([]string{"x", "y,", "}"}, names...)).Draw(t, "names")
	body := "{" + space.Draw(t, "s")
	for i, name := range all[:rapid.IntRange(0, len(all)).Draw(t, "n")] {
		if i > 0 {
			body += space.Draw(t, "s") + "," + space.Draw(t, "s")
		}
		body += `"` + name + `"` + space.Draw(t, "s") + ":" + space.Draw(t, "s") + "1"
	}
	return []byte(body + space.Draw(t, "s") + "}")
}
