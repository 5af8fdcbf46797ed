package strict_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	s "github.com/posterngw/postern/tools/mock/strict"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		in  string
		dup string
		err error
	}{
		"object":             {in: `{"a":[1,2.50,"x",true,null,{}]}`},
		"empty":              {in: ``, err: s.ErrSyntax},
		"truncated":          {in: `{"a":`, err: s.ErrSyntax},
		"trailing":           {in: `{} {}`, err: s.ErrSyntax},
		"broken UTF-8":       {in: "\"\xff\"", err: s.ErrSyntax},
		"duplicate":          {in: `{"a":1,"b":{"c":1,"c":2}}`, dup: "b.c"},
		"disguised":          {in: `{"model":1,"\u006dodel":2}`, dup: "model"},
		"same key elsewhere": {in: `[{"a":1},{"a":2}]`},
		"deep":               {in: strings.Repeat("[", 200) + strings.Repeat("]", 200), err: s.ErrDepth},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Parse([]byte(tc.in))
			var dup *s.DuplicateError
			switch {
			case tc.dup != "":
				require.True(t, errors.As(err, &dup), "%v", err)
				require.Equal(t, tc.dup, dup.Path.Dotted())
			case tc.err != nil:
				require.ErrorIs(t, err, tc.err)
			default:
				require.NoError(t, err)
			}
		})
	}
}

func TestValueKeepsSpelling(t *testing.T) {
	in := `{"z":1.50,"a":[1e3,-0],"text":"<b> & é ☕","t":true,"n":null,"o":{}}`
	v, err := s.Parse([]byte(in))
	require.NoError(t, err)
	out, err := v.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, in, string(out))
}

func TestAccessorsAreSafe(t *testing.T) {
	var none *s.Value
	require.Nil(t, none.Get("a").Get("b"))
	require.Empty(t, none.Str())
	require.Empty(t, none.List())
	require.False(t, none.True() || none.False() || none.Has("a"))
	require.Equal(t, 3, none.Int(3))
}

var spec = s.Obj(s.Fields{
	"n":    s.Req(s.IntIn(1, 9)),
	"name": s.Opt(&s.Spec{Kinds: s.String, MinLen: 1, MaxLen: 4, Name: true}),
	"t":    s.Opt(s.Num(0, 2).OrNull()),
	"list": s.Opt(s.List(s.OneOf("a", "b")).Count(1, 2)),
	"part": s.Opt(s.Union("type", map[string]*s.Spec{"text": s.Obj(s.Fields{"type": s.Req(s.Str()), "text": s.Req(s.Str())})})),
	"any":  s.Opt(s.Any()),
})

func TestCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		in      string
		reasons []s.Reason
		path    string
	}{
		"well":          {in: `{"n":1,"name":"ab_-","t":null,"list":["a"],"part":{"type":"text","text":""},"any":{"x":1}}`},
		"not an object": {in: `[]`, reasons: []s.Reason{s.WrongKind}},
		"missing":       {in: `{}`, reasons: []s.Reason{s.Missing}, path: "n"},
		"unknown":       {in: `{"n":1,"x":1}`, reasons: []s.Reason{s.Unknown}, path: "x"},
		"kind":          {in: `{"n":"1"}`, reasons: []s.Reason{s.WrongKind}, path: "n"},
		"null":          {in: `{"n":null}`, reasons: []s.Reason{s.WrongKind}, path: "n"},
		"fraction":      {in: `{"n":1.5}`, reasons: []s.Reason{s.NotInteger}, path: "n"},
		"whole decimal": {in: `{"n":2.0}`},
		"huge":          {in: `{"n":1e400}`, reasons: []s.Reason{s.NotInteger}, path: "n"},
		"low":           {in: `{"n":0}`, reasons: []s.Reason{s.BelowMin}, path: "n"},
		"high":          {in: `{"n":1,"t":2.5}`, reasons: []s.Reason{s.AboveMax}, path: "t"},
		"short":         {in: `{"n":1,"name":""}`, reasons: []s.Reason{s.TooShort}, path: "name"},
		"long":          {in: `{"n":1,"name":"abcde"}`, reasons: []s.Reason{s.TooLong}, path: "name"},
		"bad name":      {in: `{"n":1,"name":"a b"}`, reasons: []s.Reason{s.BadName}, path: "name"},
		"few":           {in: `{"n":1,"list":[]}`, reasons: []s.Reason{s.TooShort}, path: "list"},
		"many":          {in: `{"n":1,"list":["a","a","a"]}`, reasons: []s.Reason{s.TooLong}, path: "list"},
		"enum":          {in: `{"n":1,"list":["a","c"]}`, reasons: []s.Reason{s.NotInEnum}, path: "list.1"},
		"tag missing":   {in: `{"n":1,"part":{}}`, reasons: []s.Reason{s.Missing}, path: "part.type"},
		"tag unknown":   {in: `{"n":1,"part":{"type":"x"}}`, reasons: []s.Reason{s.NotInEnum}, path: "part.type"},
		"in a variant":  {in: `{"n":1,"part":{"type":"text"}}`, reasons: []s.Reason{s.Missing}, path: "part.text.text"},
		"two":           {in: `{"t":3,"x":1}`, reasons: []s.Reason{s.AboveMax, s.Unknown, s.Missing}, path: "t"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := s.Parse([]byte(tc.in))
			require.NoError(t, err)
			var reasons []s.Reason
			problems := s.Check(v, spec)
			for _, p := range problems {
				reasons = append(reasons, p.Reason)
			}
			require.Equal(t, tc.reasons, reasons)
			if tc.path != "" {
				require.Equal(t, tc.path, problems[0].Path.Dotted())
			}
		})
	}
}

func TestPathForms(t *testing.T) {
	p := s.Path{}.Key("messages").Item(0).Key("content").Item(2).As("text").Key("cache_control")
	require.Equal(t, "messages.0.content.2.text.cache_control", p.Dotted())
	require.Equal(t, "messages[0].content[2].cache_control", p.Bracketed())
	require.Equal(t, "cache_control", p.Last())
	require.False(t, p.Top())
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `[1,"é",{"b":null}]`, `{"a":1,"a":2}`, `"\ud800"`, `{`, `1e999`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := s.Parse(data)
		if err != nil {
			return
		}
		out, err := v.MarshalJSON()
		require.NoError(t, err)
		var a, b any
		if json.Unmarshal(data, &a) == nil { // numbers may be beyond float64
			require.NoError(t, json.Unmarshal(out, &b))
			require.Equal(t, a, b)
		}
		s.Check(v, spec)
	})
}
