package watch

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/limits"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/gzip"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// request is what is known of the asking side.
type request struct {
	head      head
	number    uint64
	key       string // the same as text, for hosts that name requests by none
	dialect   *dialect.Dialect
	api       *dialect.API
	call      dialect.Call
	facts     llm.Facts
	principal identity.Principal
	question  []byte // the body, until it is read
	bytesIn   int
	cut       bool // the body did not fit
	read      bool // what could be known of it is
}

// head is what one reading of the request's headers told.
type head struct {
	pairs               [][2]string
	method, path, query string
	host, id, trace     string
	coding              string // content-encoding, unless identity
	upgrade             bool
	bytes               int
}

func (h *head) read(pairs [][2]string) {
	h.pairs = pairs
	for i := range pairs {
		name, value := pairs[i][0], pairs[i][1]
		h.bytes += len(name) + len(value)
		switch name {
		case ":method":
			h.method = value
		case ":path":
			h.path, h.query, _ = strings.Cut(value, "?")
		case ":authority", "host":
			h.host = value
		case "content-encoding":
			h.coding = coding(value)
		case "upgrade":
			h.upgrade = h.upgrade || strings.EqualFold(value, "websocket")
		case "x-request-id":
			h.id = limits.Cut(value, 128)
		case "traceparent":
			h.trace = limits.Cut(value, 128)
		}
	}
}

func (h *head) get(name string) string {
	for i := range h.pairs {
		if h.pairs[i][0] == name {
			return h.pairs[i][1]
		}
	}
	return ""
}

// line is what dialects see of the head.
func (h *head) line() *dialect.Line {
	return &dialect.Line{Method: h.method, Path: h.path, Query: h.query, Header: h.get}
}

// coding is a content coding by its usual name; empty for none.
func coding(value string) string {
	switch value = strings.ToLower(strings.TrimSpace(value)); value {
	case "identity":
		return ""
	case "x-gzip":
		return zipped
	}
	return value
}

const zipped = "gzip"

// bodyOfRequest takes a piece of the body.
func (w *watcher) bodyOfRequest(b []byte, end bool) {
	w.bytesIn += len(b)
	w.asked.Write(b)
	if !w.read && !w.blind {
		w.question, w.cut = w.kept(w.question, b, w.setup.limits.Body, w.cut)
	}
	if end {
		w.endOfRequest()
	}
}

// kept appends what there is room for; cut says that something was left out, after
// which nothing more is taken.
func (w *watcher) kept(dst, b []byte, limit int, before bool) (out []byte, cut bool) {
	if before || len(b) == 0 {
		return dst, before
	}
	n := min(len(b), limit-len(dst))
	if !w.m.keep(n, w.setup.limits.InFlight) {
		return dst, true
	}
	return append(dst, b[:n]...), n < len(b)
}

// drop lets go of bytes that were kept.
func (w *watcher) drop(b *[]byte) {
	w.m.held -= len(*b)
	*b = nil
}

// endOfRequest reads the body, once: at its end, or when the answer begins before.
func (w *watcher) endOfRequest() {
	if !w.watching || w.read {
		return
	}
	w.read = true
	if !w.blind && !w.head.upgrade && !w.understood() {
		w.note(unreadRequest)
		if w.head.coding == "" {
			w.facts.Stream = w.glean(w.question) || w.facts.Stream
		}
	}
	w.drop(&w.question)
	w.m.doc = jsonx.Document{}
}

// understood reads the facts of a whole body.
func (w *watcher) understood() bool {
	body, ok := w.plain(w.question, w.head.coding, w.setup.limits.Body)
	if !ok || w.cut {
		return false
	}
	doc := &w.m.doc
	if w.call.Raw || len(body) == 0 && w.call.Bare {
		doc.Hold(body)
	} else if doc.Scan(body, w.api.Client.Inspected(), jsonx.Limits{Depth: w.setup.limits.Depth, Bytes: w.setup.limits.Body}) != nil {
		return false
	}
	f, e := w.api.Client.Facts(w.call, doc)
	if e != nil {
		return false
	}
	f.Received, f.Form, f.Rest = w.began.Unix(), w.call.Form, w.call.Rest
	w.facts = f
	return true
}

// plain is a body without its coding.
func (w *watcher) plain(b []byte, coding string, limit int) ([]byte, bool) {
	switch coding {
	case "":
		return b, true
	case zipped:
		text, err := gzip.Decode(b, limit)
		return text, err == nil
	}
	return nil, false
}

// named are the members by which most dialects name a model, and ask for a stream.
var named = jsonx.NewKeys("model", "stream")

// glean looks for the model's name in what there is of a body that is not read as a
// whole, and tells whether the body wants a stream. Of two names neither counts.
func (w *watcher) glean(body []byte) (streams bool) {
	if w.facts.Model != "" || w.call.Raw {
		return false
	}
	doc := &w.m.doc
	if err := doc.Scan(body, named, jsonx.Limits{Depth: w.setup.limits.Depth}); err != nil && err.Code == jsonx.CodeDuplicateKey {
		return false
	}
	if v, ok := doc.Get(0); ok && v.Kind == jsonx.String {
		name := jsonx.Interior(v.Raw(doc.Body()))
		w.facts.Model = dialect.Plain(name, len(name))
	}
	return string(doc.Raw(1)) == "true"
}
