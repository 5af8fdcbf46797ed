package replay

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/scenario"
)

// asking is one request of a client.
type asking struct {
	method  string
	path    string
	headers map[string]string
	body    string
}

// plain is a side's plain request for the recorded model.
func (r *replay) plain(s *side) asking {
	a := asking{method: "POST", path: s.api.path, body: s.api.body, headers: map[string]string{"content-type": "application/json"}}
	if r.asked {
		if s.api.stream != "" {
			a.path = s.api.stream
		}
		if s.api.streamed != "" {
			a.body = s.api.streamed
		}
	}
	a.path = strings.ReplaceAll(a.path, "MODEL", url.PathEscape(alias+s.flavour))
	a.body = strings.ReplaceAll(a.body, "MODEL", alias+s.flavour)
	return a
}

// passed is what came of one pass through the module.
type passed struct {
	status  string
	kind    string // content type
	body    string
	sent    string // body that the provider got
	path    string // and the path that it was asked by
	reached bool   // the provider was asked
	whole   bool   // the answer has its end
	record  record
}

// record is what the replay reads of the audit record.
type record struct {
	Usage  json.RawMessage `json:"usage"`
	Losses []struct {
		Field string `json:"field"`
		Fate  string `json:"fate"`
	} `json:"losses"`
	Error struct {
		Class string `json:"class"`
		Code  string `json:"code"`
	} `json:"error"`
}

// send passes a request and the recorded answer through the module.
func (r *replay) send(_ *side, a *asking, cut scenario.Cutter) passed {
	s := r.host.NewStream()
	headers := [][2]string{{":method", a.method}, {":path", a.path}, {":authority", "gateway"}, {":scheme", "http"}, {"x-request-id", "replay"}}
	for _, name := range []string{"content-type", "accept", "anthropic-version", "anthropic-beta"} {
		if v, ok := a.headers[name]; ok {
			headers = append(headers, [2]string{name, v})
		}
	}
	if a.body == "" {
		s.RequestHeaders(headers, true)
	} else {
		s.RequestHeaders(append(headers, [2]string{"content-length", strconv.Itoa(len(a.body))}), false)
		s.RequestBody([]byte(a.body), true)
	}
	var p passed
	if tries := s.Attempts(); len(tries) == 1 && tries[0].Request().Complete {
		p.reached = true
		p.sent, p.path = tries[0].Request().Body(), tries[0].Request().Headers.Get(":path")
		r.answer(tries[0], cut)
	}
	m := s.Response()
	p.status, p.body, p.whole = m.Status(), m.Body(), m.Complete
	if m.Headers != nil {
		p.kind = m.Headers.Get("content-type")
	}
	if access := s.AccessLog(); access != nil {
		// A record that is no JSON shows as one without usage.
		_ = json.Unmarshal([]byte(access.FilterState["wasm.postern.audit"]), &p.record)
	}
	return p
}

// answer feeds the recorded answer.
func (r *replay) answer(a *hosttest.Attempt, cut scenario.Cutter) {
	headers := [][2]string{{":status", strconv.Itoa(r.x.Status)}}
	for name, value := range r.x.Answer {
		switch name {
		case "content-length", "transfer-encoding", "content-encoding", "connection", "content-type":
		default:
			headers = append(headers, [2]string{name, value})
		}
	}
	if kind := r.x.Answer["content-type"]; kind != "" {
		headers = append(headers, [2]string{"content-type", kind})
	}
	if len(r.x.Body) == 0 {
		a.ResponseHeaders(headers, true)
		return
	}
	a.ResponseHeaders(headers, false)
	chunks := cut(string(r.x.Body))
	for i, c := range chunks {
		a.ResponseBody([]byte(c), i == len(chunks)-1)
	}
}
