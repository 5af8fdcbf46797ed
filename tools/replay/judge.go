package replay

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// kept checks that the provider got the client's own bytes, but for what the
// gateway adds in order to count.
func (r *replay) kept(got *passed) {
	if !got.reached {
		r.fail(r.name, "", "the request did not reach the provider: "+got.status+" "+shorten(got.body))
		return
	}
	if got.sent == string(r.x.Request) {
		return
	}
	var was, is map[string]any
	if json.Unmarshal(r.x.Request, &was) != nil || json.Unmarshal([]byte(got.sent), &is) != nil {
		r.fail(r.name, "", "the provider did not get the recorded request: "+tail(got.sent, string(r.x.Request)))
		return
	}
	delete(was, "stream_options")
	delete(is, "stream_options")
	if !reflect.DeepEqual(was, is) {
		r.fail(r.name, "", "the provider got another request: "+tail(got.sent, string(r.x.Request)))
	}
}

// judge checks what a client got.
func (r *replay) judge(s *side, got *passed, own bool) {
	switch {
	case !got.reached:
		if !own {
			r.fail(s.name, "", "the request did not reach the provider: "+got.status+" "+shorten(got.body))
		}
	case r.x.failed():
		r.refusal(s, got)
	default:
		r.served(s, got, own)
	}
}

// refusal checks an error in the client's words.
func (r *replay) refusal(s *side, got *passed) {
	status, err := strconv.Atoi(got.status)
	if err != nil || status < 400 {
		r.fail(s.name, "", "an error of the provider became "+got.status)
	}
	if v, err := decode([]byte(got.body)); err != nil || !v.is() {
		r.fail(s.name, "", "the error is no JSON: "+shorten(got.body))
	}
	if got.record.Error.Class == "" {
		r.fail(s.name, "", "the record has no error class")
	}
}

// served checks a good answer: its form, its words, its counts.
func (r *replay) served(s *side, got *passed, own bool) {
	if s.api.read == nil {
		if got.body != string(r.x.Body) {
			r.fail(s.name, "", "the answer was changed: "+tail(got.body, string(r.x.Body)))
		}
		return
	}
	want, err := apis[r.name].read(r.streamed, r.x.Body)
	switch {
	case err != nil:
		r.fail(s.name, "", "the recorded answer cannot be read: "+err.Error())
		return
	case want.Error != "" && !r.streamed:
		r.refusal(s, got) // an error with a status of success
		return
	case got.status != strconv.Itoa(r.x.Status) || !got.whole:
		r.fail(s.name, "", fmt.Sprintf("status %s, whole %v: %s", got.status, got.whole, shorten(got.body)))
		return
	}
	if own {
		r.identical(got, want)
	} else if err := s.api.obeys([]byte(got.body)); r.streamed && err != nil {
		r.fail(s.name, "", "grammar: "+err.Error())
	}
	said, err := s.api.read(r.streamed, []byte(got.body))
	switch {
	case err != nil:
		r.fail(s.name, "", "the client's answer cannot be read: "+err.Error())
	case (want.Error == "") != (said.Error == ""):
		r.fail(s.name, "", fmt.Sprintf("error: the provider said %q, the client got %q", shorten(want.Error), shorten(said.Error)))
	default:
		if what := want.differs(said); what != "" && want.Error == "" && !got.record.admits(what) {
			r.fail(s.name, "", what)
		}
		r.counted(s, got, want, said)
	}
}

// identical checks that an answer in the client's own API kept its bytes. What
// may be cut is the chunk with the usage that nobody but the gateway asked for.
func (r *replay) identical(got *passed, want *Said) {
	if got.body == string(r.x.Body) || want.Error != "" {
		return
	}
	if r.streamed && strings.HasPrefix(r.name, "openai/") && !r.facts.WantsUsage && len(got.body) < len(r.x.Body) {
		return // the words are compared below
	}
	r.fail(r.name, "", "the answer was changed: "+tail(got.body, string(r.x.Body)))
}

// admits reports whether the ledger says that something of this kind was lost.
func (r *record) admits(what string) bool {
	kind, _, _ := strings.Cut(what, ":")
	for _, l := range r.Losses {
		if strings.Contains(l.Field, strings.TrimSuffix(kind, "s")) {
			return true
		}
	}
	return false
}

// tokens is the usage of an audit record.
type tokens struct {
	Input          int64 `json:"input"`
	CacheRead      int64 `json:"cache_read"`
	CacheWrite     int64 `json:"cache_write"`
	CacheWriteHour int64 `json:"cache_write_hour"`
	InputAudio     int64 `json:"input_audio"`
	Output         int64 `json:"output"`
	Reasoning      int64 `json:"reasoning"`
	OutputAudio    int64 `json:"output_audio"`
	Known          bool  `json:"known"`
}

// counted checks the account against what the provider counted, and so what the
// client was told.
func (r *replay) counted(s *side, got *passed, want, said *Said) {
	if want.Usage == nil || want.Error != "" {
		return
	}
	var t tokens
	if len(got.record.Usage) > 0 && json.Unmarshal(got.record.Usage, &t) != nil {
		r.fail(s.name, "", "the record's usage cannot be read")
		return
	}
	booked := Usage{Input: t.Input + t.CacheRead + t.CacheWrite + t.CacheWriteHour + t.InputAudio, Output: t.Output + t.Reasoning + t.OutputAudio,
		CacheRead: t.CacheRead, CacheWrite: t.CacheWrite + t.CacheWriteHour, Reasoning: t.Reasoning}
	if booked.Input != want.Usage.Input || booked.Output != want.Usage.Output || booked.CacheRead != want.Usage.CacheRead {
		r.fail(s.name, "", fmt.Sprintf("usage: the provider counted %+v, the record has %+v", *want.Usage, booked))
	}
	if u := said.Usage; u != nil && (u.Input != want.Usage.Input || u.Output != want.Usage.Output) {
		r.fail(s.name, "", fmt.Sprintf("usage: the provider counted %+v, the client was told %+v", *want.Usage, *u))
	}
}
