package dialecttest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// place is a value or a member in a JSON text.
type place struct{ value, member jsonx.Span }

// places lists the values of a text, the text itself left out.
func places(raw []byte, base int, list []place) []place {
	it := jsonx.Elements(raw)
	if jsonx.KindOf(raw) == jsonx.Object {
		it = jsonx.Members(raw)
	}
	for it.Next() {
		at, member := base+it.Offset(), it.Member()
		list = append(list, place{jsonx.Span{Start: at, End: at + len(it.Value())}, jsonx.Span{Start: base + member.Start, End: base + member.End}})
		list = places(it.Value(), at, list)
	}
	return list
}

// strangers are values that a codec does not wait for, wherever they stand. Some hide
// what would end a string, were it not escaped again: as a signature of another maker
// travels, too.
var strangers = []string{`null`, `true`, `-1`, `0`, `1e400`, `9223372036854775808`, `""`, `"x"`, `"\ud800\u0000\""`, `[]`, `[null]`, `[[[]]]`,
	`{}`, `{"type":"text"}`, `{"a":{"b":[{"c":1}]}}`, `[1,"x",{}]`, `"` + escaped + `"`, `"data:image/png;base64,` + escaped + `"`,
	hidden("postern.anthropic."), hidden("postern.gemini."), hidden("o:postern.anthropic."), hidden("r:postern.anthropic."), hidden("postern.a" + ending + ".")}

const (
	ending  = `x"}],"y":[{"z":"`
	escaped = `x\"}],\"y\":[{\"z\":\"`
)

// hidden is a JSON string of base64 with an ending in it.
func hidden(mark string) string {
	return `"` + base64.StdEncoding.EncodeToString([]byte(mark+ending)) + `"`
}

// Wrong makes a JSON text wrong and leaves it JSON: up to three of its values are of
// another type, stand elsewhere too, stand twice or are missing.
func Wrong(random *rand.Rand, text []byte) []byte {
	out := append([]byte(nil), text...)
	for range 1 + random.IntN(3) {
		list := places(out, 0, nil)
		if len(list) == 0 {
			return out
		}
		p := list[random.IntN(len(list))]
		at, by := p.value, []byte(strangers[random.IntN(len(strangers))])
		switch random.IntN(4) {
		case 0: // a value from elsewhere in the text
			q := list[random.IntN(len(list))].value
			by = out[q.Start:q.End]
		case 1: // twice
			at = p.member
			by = bytes.Join([][]byte{out[at.Start:at.End], out[at.Start:at.End]}, []byte(","))
		case 2: // with a neighbour in its place
			at = p.member
			q := list[random.IntN(len(list))]
			if (q.member.Len() > q.value.Len()) == (at.Len() > p.value.Len()) { // both have names, or none has
				by = out[q.member.Start:q.member.End]
			} else {
				at = p.value
			}
		}
		out = append(append(append([]byte(nil), out[:at.Start]...), by...), out[at.End:]...)
	}
	return out
}

// Damage cuts, flips, doubles or drops bytes.
func Damage(random *rand.Rand, data []byte) []byte {
	out := append([]byte(nil), data...)
	for range 1 + random.IntN(3) {
		at := random.IntN(len(out) + 1)
		n := min(random.IntN(20), len(out)-at)
		switch random.IntN(4) {
		case 0:
			out = out[:at]
		case 1:
			for i := range n {
				out[at+i] ^= byte(1 + random.IntN(255))
			}
		case 2:
			out = append(out[:at:at], append(append([]byte(nil), out[at:at+n]...), out[at:]...)...)
		case 3:
			out = append(out[:at], out[at+n:]...)
		}
	}
	return out
}

// rounds is how often each sample is made wrong.
const rounds = 200

// wrongRequests checks that a request that is JSON and not the API's is refused in
// words, or becomes JSON; in the client's own API as in another.
func (s Suite) wrongRequests(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 0))
	for _, sample := range Requests(s.API.Operation) {
		r := sample.Value
		if body, err := s.API.Provider.Encode(nil, &r, &s.Target, nil); err == nil {
			for range rounds {
				s.WrongRequest(t, Wrong(random, body))
			}
		}
	}
}

// WrongRequest checks one request that may be anything. Fuzz targets call it.
func (s Suite) WrongRequest(t testing.TB, body []byte) {
	doc, bad := jsonx.Scan(body, s.API.Client.Inspected(), jsonx.Limits{})
	if bad != nil {
		return
	}
	call := dialect.Call{Operation: s.API.Operation, Model: "m"}
	if s.Call != nil {
		call = s.Call(&llm.Facts{Model: "m"})
	}
	f, err := s.API.Client.Facts(call, &doc)
	if err != nil {
		require.Equal(t, 400, err.Status, string(body))
		return
	}
	require.True(t, f.TextBytes >= 0 && f.TextBytes <= len(body) && f.MaxTokens >= 0, "%s: %+v", body, f)
	if s.API.Same != nil {
		var e jsonx.Edits
		s.API.Same.Request(&e, &f, &doc, &dialect.Patch{Target: &dialect.Target{Model: "t", MaxTokens: 9}, Usage: true})
		require.False(t, e.Conflict(), string(body))
		require.True(t, json.Valid(e.Apply(nil, body)), string(body))
	}
	r, err := s.API.Client.Decode(f, &doc)
	if err != nil {
		require.Equal(t, 400, err.Status, string(body))
		return
	}
	var l dialect.Ledger
	l.Leftovers(r)
	if out, err := s.API.Provider.Encode(nil, r, &s.Target, &l); err == nil {
		require.True(t, json.Valid(out), "%s\n%s", body, out)
	} else {
		require.Equal(t, 400, err.Status, string(body))
	}
}

// wrongAnswers checks the same of answers: one that is not the API's is malformed or
// an error, or can be told a client; whole, and as events.
func (s Suite) wrongAnswers(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 0))
	for _, sample := range Answers(s.API.Operation) {
		a := sample.Value
		f := llm.Facts{Operation: s.API.Operation, Choices: 1}
		f.Base64 = len(a.Vectors) > 0 && a.Vectors[0].Base64 != nil
		body := s.API.Client.AppendAnswer(nil, &f, "m", &a, nil)
		for range rounds {
			s.wrongAnswer(t, &f, Wrong(random, body))
		}
	}
	if s.Frames != nil {
		return // their events are not lines
	}
	for _, stream := range s.Streams {
		for range rounds {
			s.Junk(t, WrongLine(random, stream))
		}
	}
}

func (s Suite) wrongAnswer(t *testing.T, f *llm.Facts, body []byte) {
	a, err := s.API.Provider.Decode(f, &s.Target, body)
	if err != nil {
		require.NotZero(t, err.Class, string(body))
	} else {
		out := s.API.Client.AppendAnswer(nil, f, "m", a, nil)
		require.True(t, json.Valid(out), "%s\n%s", body, out)
	}
	if s.API.Same != nil {
		var e jsonx.Edits
		if _, _, err := s.API.Same.Answer(&e, f, body, &dialect.Patch{Model: "shown"}); err == nil {
			require.True(t, json.Valid(e.Apply(nil, body)), string(body))
		}
	}
}

// WrongLine makes one of a stream's texts wrong.
func WrongLine(random *rand.Rand, stream []byte) []byte {
	lines := bytes.SplitAfter(stream, []byte("\n"))
	for range 20 {
		i := random.IntN(len(lines))
		at := bytes.IndexByte(lines[i], '{')
		if at < 0 || !json.Valid(lines[i][at:]) {
			continue
		}
		text := bytes.TrimRight(lines[i][at:], "\r\n")
		lines[i] = bytes.Join([][]byte{lines[i][:at], Wrong(random, text), lines[i][at+len(text):]}, nil)
		break
	}
	return bytes.Join(lines, nil)
}
