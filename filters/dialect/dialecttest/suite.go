package dialecttest

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Suite is what a dialect brings to the kit. A side that the dialect lacks is
// not checked.
type Suite struct {
	API *dialect.API
	// Grammar is the automaton of the dialect's streams for a client's request.
	Grammar func(f *llm.Facts) grammar.Grammar
	// Target serves the canonical requests.
	Target dialect.Target
	// Refused names the canonical requests that the provider side cannot carry.
	Refused []string
	// Streams are streams in the dialect's own words, by name. Each is checked
	// at every cut, and with other ends of lines at the cuts near those.
	Streams map[string][]byte
	// Normal brings a canonical request to the form in which the dialect gives
	// it back; nil for a dialect that gives back what it gets.
	Normal func(*llm.Request)
	// Answer does the same for a canonical answer.
	Answer func(*llm.Answer)
	// Events does the same for a canonical stream.
	Events func([]llm.Event) []llm.Event
	// Lines says that streams are lines of JSON, not server-sent events.
	Lines bool
	// Frames reads a stream of another framing, whose ends of lines mean nothing.
	Frames func(stream []byte) ([]grammar.Frame, error)
	// Call is what the line of a request says beside its body; nil: no more than
	// the operation.
	Call func(f *llm.Facts) dialect.Call
}

// limits of the suite's streams.
var limits = dialect.Limits{Event: 1 << 20, Depth: 64}

// Run checks all that the kit knows. Operations that make no text have no
// streams; of the others' only those of chats are canonical.
func (s Suite) Run(t *testing.T) {
	streams := s.API.Operation == llm.Chat || s.API.Operation == llm.Complete
	run := func(name string, applies bool, check func(*testing.T)) {
		if applies {
			t.Run(name, check)
		}
	}
	run("requests", s.API.Provider != nil, s.requests)
	run("classes", s.API.Provider != nil, s.classes)
	run("cuts", s.API.Provider != nil && streams, s.cuts)
	run("junk", s.API.Provider != nil && streams, s.junk)
	run("any order", s.API.Client != nil && streams, s.anyOrder)
	run("errors", s.API.Client != nil, s.errors)
	run("wrong requests", s.API.Client != nil && s.API.Provider != nil, s.wrongRequests)
	run("wrong answers", s.API.Client != nil && s.API.Provider != nil, s.wrongAnswers)
	run("answers", s.API.Client != nil && s.API.Provider != nil, s.answers)
	run("streams", s.API.Client != nil && s.API.Provider != nil && streams, s.streams)
	run("taps", s.API.Same != nil && streams, s.taps)
}

// check runs a stream through the API's grammar.
func (s Suite) check(f *llm.Facts, stream []byte) error {
	switch {
	case s.Frames != nil:
		return grammar.CheckFrames(s.Grammar(f), stream, s.Frames)
	case s.Lines:
		return grammar.CheckLines(s.Grammar(f), stream)
	}
	return grammar.Check(s.Grammar(f), stream)
}

// requests checks that a canonical request is refused with the name of the part,
// or becomes JSON that the client side reads as the same request.
func (s Suite) requests(t *testing.T) {
	refused := map[string]bool{}
	for _, name := range s.Refused {
		refused[name] = true
	}
	for _, sample := range Requests(s.API.Operation) {
		t.Run(sample.Name, func(t *testing.T) {
			r := sample.Value
			out, err := s.API.Provider.Encode(nil, &r, &s.Target, nil)
			if refused[sample.Name] {
				require.NotNil(t, err)
				require.Equal(t, llm.ClientError, err.Class)
				require.Equal(t, 400, err.Status)
				require.NotEmpty(t, err.Param)
				return
			}
			require.Nil(t, err)
			require.True(t, json.Valid(out), string(out))
			if s.API.Client == nil {
				return
			}
			r.Model = s.Target.Model
			if s.Normal != nil {
				s.Normal(&r)
			}
			require.Equal(t, Describe(&r), Describe(s.readBack(t, &r.Facts, out)))
		})
	}
}

func (s Suite) readBack(t *testing.T, asked *llm.Facts, body []byte) *llm.Request {
	doc, bad := jsonx.Scan(body, s.API.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	call := dialect.Call{Operation: s.API.Operation}
	if s.Call != nil {
		call = s.Call(asked)
	}
	f, err := s.API.Client.Facts(call, &doc)
	require.Nil(t, err)
	r, err := s.API.Client.Decode(f, &doc)
	require.Nil(t, err)
	return r
}

func (s Suite) answers(t *testing.T) {
	for _, sample := range Answers(s.API.Operation) {
		t.Run(sample.Name, func(t *testing.T) {
			a := sample.Value
			f := llm.Facts{Operation: s.API.Operation, Choices: 1, Received: 1700000000}
			f.Base64 = len(a.Vectors) > 0 && a.Vectors[0].Base64 != nil
			out := s.API.Client.AppendAnswer([]byte("kept"), &f, "m", &a, nil)
			require.Equal(t, "kept", string(out[:4]))
			require.True(t, json.Valid(out[4:]), string(out))
			b, err := s.API.Provider.Decode(&f, nil, out[4:])
			require.Nil(t, err)
			if s.Answer != nil {
				s.Answer(&a)
			}
			require.Equal(t, DescribeAnswer(&a), DescribeAnswer(b))
		})
	}
}

// streams checks that a canonical stream obeys the grammar once it is written,
// and says the same when it is read.
func (s Suite) streams(t *testing.T) {
	for _, sample := range Streams(s.API.Operation) {
		t.Run(sample.Name, func(t *testing.T) {
			f := llm.Facts{Stream: true, Choices: 1, WantsUsage: true, Received: 1700000000}
			require.NoError(t, CheckEvents(sample.Value))
			out := Encode(s.API.Client.NewEncoder(&f, "m"), sample.Value)
			require.NoError(t, s.check(&f, out))
			want := sample.Value
			if s.Events != nil {
				want = s.Events(want)
			}
			OneCut(out, func(chunks ...[]byte) {
				got := Decode(s.API.Provider.NewDecoder(&f, nil, limits), chunks...)
				require.NoError(t, CheckEvents(got))
				require.Equal(t, Script(want), Script(got))
			})
		})
	}
}

// anyOrder checks that an encoder keeps its grammar whatever it is handed.
func (s Suite) anyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := llm.Facts{Stream: true, Choices: 1, WantsUsage: rapid.Bool().Draw(t, "usage")}
		events := rapid.SliceOfN(rapid.Custom(drawEvent), 0, 30).Draw(t, "events")
		e := s.API.Client.NewEncoder(&f, "m")
		out := Encode(e, events)
		out = e.Append(out, &llm.Event{Kind: llm.End})
		if failed(events) {
			out = s.API.Client.AppendStreamError(out, &llm.Error{Class: llm.ProviderError, Code: "x", Message: "m"}, "r")
		}
		if err := s.check(&f, out); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}

// failed reports whether a stream of events fails before it ends.
func failed(events []llm.Event) bool {
	for i := range events {
		switch events[i].Kind {
		case llm.Failure:
			return true
		case llm.End:
			return false
		}
	}
	return false
}

func drawEvent(t *rapid.T) llm.Event {
	kinds := []llm.EventKind{llm.Ping, llm.Start, llm.BlockStart, llm.Delta, llm.Delta, llm.Delta, llm.BlockStop,
		llm.FinishEvent, llm.UsageEvent, llm.End, llm.Failure}
	parts := []llm.PartKind{llm.TextPart, llm.ReasoningPart, llm.RefusalPart, llm.ToolCallPart, llm.ImagePart}
	e := llm.Event{
		Kind:   rapid.SampledFrom(kinds).Draw(t, "kind"),
		Choice: rapid.SampledFrom([]int{0, 0, 0, 1, -1, 1000}).Draw(t, "choice"),
		Block:  rapid.IntRange(-1, 4).Draw(t, "block"),
		Part:   rapid.SampledFrom(parts).Draw(t, "part"),
		Text:   llm.Escaped(rapid.SampledFrom([]string{"", "a", `{\"a\":1}`, `\n`}).Draw(t, "text")),
		Sign:   llm.Escaped(rapid.SampledFrom([]string{"", "", "c2ln"}).Draw(t, "sign")),
		Finish: llm.Finish(rapid.IntRange(0, 7).Draw(t, "finish")),
		ID:     llm.Escaped(rapid.SampledFrom([]string{"", "id1"}).Draw(t, "id")),
		Name:   llm.Escaped("name"),
		Usage:  &llm.Usage{Input: 1, Output: 2, Known: true},
		Err:    &llm.Error{Class: llm.ProviderError},
	}
	e.Redacted = e.Part == llm.ReasoningPart && rapid.Bool().Draw(t, "redacted")
	return e
}

// cuts checks that a decoder gives the same for a stream however it is cut.
func (s Suite) cuts(t *testing.T) {
	require.NotEmpty(t, s.Streams)
	for name, stream := range s.spellings() {
		t.Run(name, func(t *testing.T) {
			f := llm.Facts{Stream: true, Choices: 1}
			var want string
			check := func(chunks ...[]byte) {
				got := Decode(s.API.Provider.NewDecoder(&f, nil, limits), chunks...)
				require.NoError(t, CheckEvents(got))
				if want == "" {
					want = Script(got)
				}
				same(t, want, Script(got))
			}
			s.everyCut(name, stream, check)
		})
	}
}

// spellings are the streams, and where lines are what frames them the same with
// other ends of lines.
func (s Suite) spellings() map[string][]byte {
	if s.Frames != nil {
		return s.Streams
	}
	return lineEnds(s.Streams)
}

// everyCut cuts a stream at every place, one with other ends of lines than its
// fixture near those ends only.
func (s Suite) everyCut(name string, stream []byte, check func(chunks ...[]byte)) {
	if _, fixture := s.Streams[name]; fixture {
		OneCut(stream, check)
	} else {
		check(stream)
		Delimiters(stream, check)
	}
	Bytes(stream, check)
	Partitions(stream, 1, 16, check)
}

// taps checks that what a tap passes on, and what it tells, does not depend on
// the cuts, and that it changes nothing that it need not.
func (s Suite) taps(t *testing.T) {
	for name, stream := range s.spellings() {
		for _, p := range []dialect.Patch{{}, {Usage: true}, {Usage: true, Model: "shown"}} {
			t.Run(name, func(t *testing.T) {
				f := llm.Facts{Stream: true, Choices: 1}
				wantOut, told := Tap(s.API.Same.NewTap(&f, limits, &p), stream)
				want := Script(told)
				s.agree(t, &f, stream, told)
				check := func(chunks ...[]byte) {
					out, events := Tap(s.API.Same.NewTap(&f, limits, &p), chunks...)
					same(t, string(wantOut), string(out))
					same(t, want, Script(events))
				}
				s.everyCut(name, stream, check)
			})
		}
	}
}

// agree checks that a tap, which hardly looks, tells the same usage and end as a
// decoder, which reads everything.
func (s Suite) agree(t *testing.T, f *llm.Facts, stream []byte, told []llm.Event) {
	all := Decode(s.API.Provider.NewDecoder(f, nil, limits), stream)
	require.Equal(t, Last(all), Last(told))
	require.Equal(t, line(&all[len(all)-1]), line(&told[len(told)-1]))
}

// same is require.Equal without its price when they are.
func same(t *testing.T, want, got string) {
	if want != got {
		require.Equal(t, want, got)
	}
}

// junk checks that damaged streams and answers end in one typed way.
func (s Suite) junk(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 0))
	for name, stream := range s.Streams {
		t.Run(name, func(t *testing.T) {
			for range 300 {
				s.Junk(t, Damage(random, stream))
			}
		})
	}
}

// Junk checks that bytes that may be anything end a decoder, a tap, an answer and
// an error in a typed way. Fuzz targets call it.
func (s Suite) Junk(t testing.TB, data []byte) {
	f := llm.Facts{Stream: true, Choices: 1}
	events := Decode(s.API.Provider.NewDecoder(&f, nil, limits), data)
	require.NoError(t, CheckEvents(events))
	if a, err := s.API.Provider.Decode(&f, nil, data); err == nil {
		require.NotNil(t, a)
	} else {
		require.NotZero(t, err.Class)
	}
	e := s.API.Provider.Classify(500, func(string) string { return string(data) }, data)
	require.GreaterOrEqual(t, e.Status, 400)
	if s.API.Same != nil {
		_, told := Tap(s.API.Same.NewTap(&f, limits, &dialect.Patch{Usage: true, Model: "x"}), data)
		require.NotEmpty(t, told)
	}
}

// errors checks that every class has an error body that tells the causes, and an
// end of a stream.
func (s Suite) errors(t *testing.T) {
	for c := llm.ClientError; c.String() != ""; c++ {
		e := &llm.Error{Class: c, Source: llm.FromPostern, Status: c.Status(), Message: "say \"why\"\n", Param: "p",
			Targets: []llm.TargetError{{Target: "a\"b", Class: c, Code: "x", After: 1500 * time.Millisecond}, {Class: llm.RateLimited, Code: llm.ShutOut}}}
		out := s.API.Client.AppendError([]byte("kept"), e, "req-1")
		require.Equal(t, "kept", string(out[:4]))
		require.True(t, json.Valid(out[4:]), string(out))
		require.Contains(t, string(out), "req-1")
		require.Contains(t, string(out), `"causes":[{"target":"a\"b","class":"`+c.String()+`","code":"x","retry_after":2},{"class":"rate_limited","code":"shut_out"}]`)
		if s.Grammar != nil {
			f := llm.Facts{Stream: true, Choices: 1}
			require.NoError(t, s.check(&f, s.API.Client.AppendStreamError(nil, e, "req-1")))
		}
	}
	require.True(t, json.Valid(s.API.Client.AppendModels(nil, nil)))
	require.True(t, json.Valid(s.API.Client.AppendModels(nil, []string{"a", "b\"c"})))
}

// classes checks that every status has a class, whatever the body, and that no
// error speaks of a credential.
func (s Suite) classes(t *testing.T) {
	none := func(string) string { return "" }
	for status := 300; status < 600; status++ {
		for _, body := range []string{"", "<html>Bad gateway</html>", "{}", `{"error":null}`, `{"error":{"message":"key sk-123 is wrong"}}`} {
			e := s.API.Provider.Classify(status, none, []byte(body))
			require.NotZero(t, e.Class, "%d %s", status, body)
			require.GreaterOrEqual(t, e.Status, 400)
			require.NotEmpty(t, e.Code)
			require.NotEmpty(t, e.Message)
			require.Equal(t, llm.FromProvider, e.Source)
			if e.Class == llm.AuthError {
				require.NotContains(t, e.Error(), "sk-123")
			}
		}
	}
}
