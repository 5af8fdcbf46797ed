package replay

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/gemini"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/dialect/openai/responses"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// party is one side of a translation, with readers that share nothing with it.
type party struct {
	api    *dialect.API
	target dialect.Target
	asked  func(body []byte) (*asked, error)
	said   func(stream bool, body []byte) (*Said, error)
	finish func(stream bool, body []byte) string
}

var (
	chat     = party{api: openai.Chat(), asked: askedChat, said: readChat, finish: chatFinish}
	response = party{api: responses.API(), asked: askedResponse, said: readResponse, finish: responseFinish}
	claude   = party{api: anthropic.Messages(), target: dialect.Target{Model: "claude-sonnet-5"}, asked: askedMessages, said: readMessages}
	flash    = party{api: gemini.Generate(), target: dialect.Target{Model: "gemini-2.5-flash"}, asked: askedGemini, said: readGemini}
)

var clients, providers = []party{chat, response}, []party{claude, flash}

// translated is a request as a provider gets it; false when a codec refuses it.
func translated(t require.TestingT, from, to *party, body []byte) ([]byte, bool) {
	doc, bad := jsonx.Scan(body, from.api.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, fault := from.api.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
	if fault != nil {
		return nil, false
	}
	r, fault := from.api.Client.Decode(f, &doc)
	if fault != nil {
		return nil, false
	}
	out, fault := to.api.Provider.Encode(nil, r, &to.target, nil)
	return out, fault == nil
}

// sameQuestion compares a request with each of its translations. One that must be
// taken has nothing that an API lacks; of others the conversation is compared.
func sameQuestion(t require.TestingT, from *party, body []byte, must bool) {
	want, err := from.asked(body)
	require.NoError(t, err)
	if want.Choice == "auto" {
		want.Choice = "" // what every API does unasked
	}
	if !must {
		want = &asked{System: want.System, Turns: want.Turns}
	}
	for i := range providers {
		out, ok := translated(t, from, &providers[i], body)
		if !ok {
			require.False(t, must, "refused: %s", body)
			continue
		}
		got, err := providers[i].asked(out)
		require.NoError(t, err, string(out))
		got.Choice = strings.TrimPrefix(got.Choice, "auto")
		if want.Max == 0 {
			got.Max = 0 // an API's own default
		}
		if !must {
			require.True(t, strings.HasPrefix(got.System, want.System)) // JSON without a schema is asked for behind them
			got = &asked{System: want.System, Turns: got.Turns}
		}
		require.Equal(t, want, got, "%s\n%s", body, out)
	}
}

// broken is a body as no honest peer sends it: cut, spliced, or JSON of the wrong form.
func broken(t *rapid.T, body []byte) []byte {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "damage"), 0))
	if rapid.Bool().Draw(t, "bytes") || !json.Valid(body) {
		return dialecttest.Damage(random, body)
	}
	return dialecttest.Wrong(random, body)
}

// brokenQuestion checks that a request that may be anything is refused, or becomes
// JSON.
func brokenQuestion(t *rapid.T, from *party, body []byte) {
	body = broken(t, body)
	if _, bad := jsonx.Scan(body, from.api.Client.Inspected(), jsonx.Limits{}); bad != nil {
		return
	}
	for i := range providers {
		if out, ok := translated(t, from, &providers[i], body); ok {
			require.True(t, json.Valid(out), "%s\n%s", body, out)
		}
	}
}

func requestProperty(t *rapid.T) {
	for _, asks := range []struct {
		by   *party
		body []byte
	}{{&chat, drawChat(t)}, {&response, drawResponse(t)}} {
		sameQuestion(t, asks.by, asks.body, true)
		brokenQuestion(t, asks.by, asks.body)
	}
}

// TestRequests draws requests of each client and reads them, and what they become,
// with code that shares nothing with the codecs.
func TestRequests(t *testing.T) { rapid.Check(t, requestProperty) }

// FuzzRequests lets the bytes of the corpus draw.
func FuzzRequests(f *testing.F) {
	corpus(f)
	f.Fuzz(rapid.MakeFuzz(requestProperty))
}

// corpus are bytes to draw from: the same value again and again, and all of them.
func corpus(f *testing.F) {
	var all []byte
	for i := range 512 {
		all = append(all, byte(i*37), byte(i), byte(i*i))
	}
	f.Add(all)
	for _, b := range []byte{0, 1, 0x55, 0x80, 0xff} {
		f.Add(bytes.Repeat([]byte{b}, 2048))
	}
}

// told is an answer as a client gets it.
func told(t require.TestingT, from, to *party, stream bool, body []byte) []byte {
	f := llm.Facts{Operation: llm.Chat, Stream: stream, Choices: 1, WantsUsage: true, Received: 1}
	if !stream {
		a, fault := from.api.Provider.Decode(&f, &from.target, body)
		require.Nil(t, fault, string(body))
		return to.api.Client.AppendAnswer(nil, &f, "shown", a, nil)
	}
	events := dialecttest.Decode(from.api.Provider.NewDecoder(&f, &from.target, dialect.Limits{Event: 1 << 20}), body)
	require.NoError(t, dialecttest.CheckEvents(events))
	return dialecttest.Encode(to.api.Client.NewEncoder(&f, "shown"), events)
}

// sameAnswer compares an answer with each of its translations.
func sameAnswer(t require.TestingT, from *party, stream bool, body []byte, finish string) {
	want, err := from.said(stream, body)
	require.NoError(t, err)
	for i := range clients {
		to := &clients[i]
		out := told(t, from, to, stream, body)
		got, err := to.said(stream, out)
		require.NoError(t, err, string(out))
		require.Empty(t, want.differs(got), "%s\n%s", body, out)
		require.Equal(t, want.Usage.Input, got.Usage.Input, string(out))
		require.Equal(t, want.Usage.Output, got.Usage.Output, string(out))
		require.Equal(t, want.Usage.CacheRead, got.Usage.CacheRead, string(out))
		if finish != "" {
			require.Equal(t, finish, to.finish(stream, out), string(out))
		}
	}
}

// chatFinish and responseFinish read why an answer ended, in the words of drawn.
func chatFinish(stream bool, body []byte) (reason string) {
	all := []value{}
	if stream {
		all, _ = values(body)
	} else if v, err := decode(body); err == nil {
		all = append(all, v)
	}
	for _, v := range all {
		if r := v.at("choices", 0, "finish_reason").text(); r != "" {
			reason = r
		}
	}
	return reason
}

func responseFinish(stream bool, body []byte) string {
	r, _ := decode(body)
	if stream {
		all, _ := values(body)
		r = all[len(all)-1].at("response")
	}
	switch {
	case r.at("incomplete_details", "reason").text() == "max_output_tokens":
		return "length"
	case r.at("incomplete_details", "reason").text() != "":
		return "content_filter"
	}
	for _, item := range r.at("output").list() {
		if item.at("type").text() == "function_call" {
			return "tool_calls"
		}
	}
	return "stop"
}

func answerProperty(t *rapid.T) {
	d := drawAnswer(t)
	for _, stream := range []bool{false, true} {
		for _, said := range []struct {
			by   *party
			body []byte
		}{{&claude, d.asClaude(t, stream)}, {&flash, d.asGemini(t, stream)}} {
			sameAnswer(t, said.by, stream, said.body, d.finish)
			brokenAnswer(t, said.by, stream, broken(t, said.body))
		}
	}
}

// brokenAnswer checks that an answer that may be anything ends in one typed way, and
// that clients get JSON of it.
func brokenAnswer(t *rapid.T, from *party, stream bool, body []byte) {
	f := llm.Facts{Operation: llm.Chat, Stream: stream, Choices: 1, WantsUsage: true}
	if !stream {
		a, fault := from.api.Provider.Decode(&f, &from.target, body)
		if fault != nil {
			require.NotZero(t, fault.Class)
			return
		}
		for i := range clients {
			out := clients[i].api.Client.AppendAnswer(nil, &f, "shown", a, nil)
			require.True(t, json.Valid(out), "%s\n%s", body, out)
		}
		return
	}
	events := dialecttest.Decode(from.api.Provider.NewDecoder(&f, &from.target, dialect.Limits{Event: 1 << 20}), body)
	require.NoError(t, dialecttest.CheckEvents(events))
	for i := range clients {
		out := dialecttest.Encode(clients[i].api.Client.NewEncoder(&f, "shown"), events)
		for line := range bytes.Lines(out) {
			if data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data: ")); ok && string(data) != "[DONE]" {
				require.True(t, json.Valid(data), "%s\n%s", body, data)
			}
		}
	}
}

// TestAnswers does for answers what TestRequests does for requests.
func TestAnswers(t *testing.T) { rapid.Check(t, answerProperty) }

func FuzzAnswers(f *testing.F) {
	corpus(f)
	f.Fuzz(rapid.MakeFuzz(answerProperty))
}

// TestRecordedDifferential reads recorded requests the same way.
func TestRecordedDifferential(t *testing.T) {
	dir := os.Getenv("POSTERN_RECORDINGS")
	if dir == "" {
		t.Skip("POSTERN_RECORDINGS names no folder of recorded traffic")
	}
	for file, from := range map[string]*party{"openai-chat-completions.jsonl": &chat, "openai-responses.jsonl": &response} {
		list, err := Read(dir + "/" + file)
		require.NoError(t, err)
		for i := range list {
			media := bytes.Contains(list[i].Request, []byte("input_audio")) || bytes.Contains(list[i].Request, []byte("file_data"))
			if list[i].Status < 400 && json.Valid(list[i].Request) && !media { // the readers know images alone
				sameQuestion(t, from, list[i].Request, false)
			}
		}
	}
}
