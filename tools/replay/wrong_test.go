package replay

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// speakers are the chat APIs that both clients and providers speak.
func speakers() (list []*dialect.API) {
	for _, d := range builtin.Dialects() {
		for _, a := range d.APIs {
			if a.Operation == llm.Chat && a.Client != nil && a.Provider != nil {
				list = append(list, a)
			}
		}
	}
	return list
}

// wrongly is how often each sample is made wrong.
const wrongly = 30

// TestWrongAnswers sends answers of every API that are wrong, whole and streamed, to
// clients of every API: what they get is of JSON texts.
func TestWrongAnswers(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 0))
	target := dialect.Target{Model: "anthropic.claude-x"}
	for _, from := range speakers() {
		t.Run(from.Name, func(t *testing.T) {
			for _, sample := range dialecttest.Answers(llm.Chat) {
				a := sample.Value
				f := llm.Facts{Operation: llm.Chat, Choices: 1}
				body := from.Client.AppendAnswer(nil, &f, "m", &a, nil)
				for range wrongly {
					wrongWhole(t, from, &target, dialecttest.Wrong(random, body))
				}
			}
			for _, sample := range dialecttest.Streams(llm.Chat) {
				f := llm.Facts{Operation: llm.Chat, Choices: 1, Stream: true, WantsUsage: true}
				stream := dialecttest.Encode(from.Client.NewEncoder(&f, "m"), sample.Value)
				for i := range wrongly {
					if wrong := dialecttest.Damage(random, stream); i%2 == 0 {
						wrongStream(t, from, &target, wrong)
					} else {
						wrongStream(t, from, &target, dialecttest.WrongLine(random, stream))
					}
				}
			}
		})
	}
}

func wrongWhole(t *testing.T, from *dialect.API, target *dialect.Target, body []byte) {
	f := llm.Facts{Operation: llm.Chat, Choices: 1}
	a, fault := from.Provider.Decode(&f, target, body)
	if fault != nil {
		require.NotZero(t, fault.Class)
		return
	}
	for _, to := range speakers() {
		out := to.Client.AppendAnswer(nil, &f, "shown", a, nil)
		require.True(t, json.Valid(out), "%s to %s\n%s\n%s", from.Name, to.Name, body, out)
	}
}

func wrongStream(t *testing.T, from *dialect.API, target *dialect.Target, stream []byte) {
	f := llm.Facts{Operation: llm.Chat, Choices: 1, Stream: true, WantsUsage: true}
	events := dialecttest.Decode(from.Provider.NewDecoder(&f, target, dialect.Limits{Event: 1 << 20}), stream)
	require.NoError(t, dialecttest.CheckEvents(events), string(stream))
	for _, to := range speakers() {
		out := dialecttest.Encode(to.Client.NewEncoder(&f, "shown"), events)
		for _, text := range texts(t, to.Client.StreamType(&f), out) {
			require.True(t, json.Valid(text), "%s to %s\n%s\n%s", from.Name, to.Name, stream, text)
		}
	}
}

// texts are the JSON texts of a stream of any framing.
func texts(t *testing.T, kind string, stream []byte) (list [][]byte) {
	if kind == eventstream.MediaType {
		f := eventstream.NewFramer(eventstream.Limits{})
		f.Feed(stream)
		for m, ok := f.Next(); ok; m, ok = f.Next() {
			list = append(list, append([]byte(nil), m.Payload...))
			if held, ok := jsonx.Lookup(m.Payload, "bytes"); ok {
				var event []byte
				require.NoError(t, json.Unmarshal(held, &event))
				list = append(list, event)
			}
		}
		require.Nil(t, f.Close())
		return list
	}
	for line := range bytes.Lines(stream) {
		line = bytes.TrimPrefix(bytes.TrimSpace(line), []byte("data: "))
		if kind == "application/json" { // one array, an element a line
			line = bytes.Trim(line, "[,]")
		}
		if at := bytes.IndexByte(line, '{'); at == 0 {
			list = append(list, line)
		}
	}
	return list
}
