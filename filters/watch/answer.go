package watch

import (
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/estimate"
	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// form is how an answer is read.
type form uint8

const (
	passing form = iota // not at all
	stream              // event by event
	whole               // at its end
	failure             // at its end: an error
)

// answer is what is known of the answering side.
type answer struct {
	form     form
	status   int
	coding   string
	headers  [][2]string // where a body cannot be understood without them
	local    bool        // the host made it by itself
	at       *provider
	target   *target
	codec    dialect.Target
	patch    dialect.Patch
	tap      dialect.Tap
	reply    []byte // the body, as far as it is kept until it is read
	short    bool   // it did not fit
	bytesOut int

	usage   llm.Usage
	stop    llm.Finish
	err     *llm.Error
	commits bool // content has been seen
	over    bool // the stream came to its own end
	tokens  int64
	firstAt time.Time
	ended   bool // the last of the answer was seen
	gone    bool // the host has no stream any more, or tells its end
}

// maxError is how much of an error answer is read.
const maxError = 64 << 10

// headOfAnswer decides how the answer is read. none says that it has no body.
func (w *watcher) headOfAnswer(none bool) {
	if w.answer.status != 0 { // a host may answer again, in place of an answer
		w.drop(&w.reply)
	}
	w.answer = answer{}
	text, _ := w.s.Header(host.Response, ":status")
	w.status, _ = strconv.Atoi(text)
	kind, _ := w.s.Header(host.Response, "content-type")
	kind, _, _ = strings.Cut(kind, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	text, _ = w.s.Header(host.Response, "content-encoding")
	w.coding = coding(text)
	w.locate()
	w.form = w.formOf(kind)
	if _, counts := w.api.Provider.(dialect.Counter); (counts || w.form == failure) && !w.p.shown {
		w.headers = w.s.Headers(host.Response) // when the body comes they are gone
	}
	if w.form == stream {
		w.watch()
	}
	if w.p.shown {
		w.s.SetProperty(showAnswer, "1")
	}
	_ = w.s.Err()
	if w.p.shown && none {
		length, _ := w.s.Header(host.Response, "content-length")
		none = length == "0" || w.status == 204 || w.status == 304 || w.head.method == "HEAD"
	}
	if none {
		w.bodyOfAnswer(nil, true)
	}
}

// formOf chooses by status and content type.
func (w *watcher) formOf(kind string) form {
	switch {
	case w.blind || w.status == 101 || w.call.Operation == llm.Models && w.status < 400:
		return passing
	case w.status < 200 || w.status > 299:
		return failure
	case w.coding != "" && w.coding != zipped:
		w.note(unreadAnswer)
		w.usage.Partial = true
		return passing
	case w.api.Same == nil:
		return passing
	case w.provider().Streams(kind):
		return stream
	case w.call.Operation == llm.Passthrough && kind != "application/json":
		return passing
	}
	return whole
}

// provider is the side of the dialect that reads answers.
func (w *watcher) provider() dialect.Provider {
	if w.api.Provider != nil {
		return w.api.Provider
	}
	return w.dialect.Endpoint()
}

// What hosts know of where a request went.
var (
	clusterName  = [...]string{"xds", "cluster_name"}
	upstreamHost = [...]string{"upstream_host"}
)

// locate finds out who answers: by the host that the client named, by the host's
// cluster, or since nobody else of those that are configured could.
func (w *watcher) locate() {
	where := clusterName[:]
	if w.p.shown {
		where = upstreamHost[:]
	}
	if w.at = w.setup.table.at(w.head.host); w.at == nil {
		if name, ok := w.s.Property(where...); ok {
			w.at = w.setup.table.at(name)
		}
	}
	if w.at == nil {
		w.at = w.setup.table.only(w.dialect)
	}
	if w.target = w.setup.table.find(w.at, w.dialect, w.facts.Model); w.target != nil {
		w.at = w.target.provider
	}
	w.codec = dialect.Target{Model: w.facts.Model}
	if w.at != nil && w.at.dialect == w.dialect {
		w.codec.Flavour, w.codec.Version = w.at.flavour, w.at.version
	}
	w.patch.Target = &w.codec
	if w.status >= 400 && !w.p.shown {
		by, ok := w.s.Property("response", "code_details")
		w.local = ok && by != "via_upstream"
	}
}

// watch begins to read a stream.
func (w *watcher) watch() {
	lim := dialect.Limits{Event: w.setup.limits.Event, Depth: w.setup.limits.Depth}
	w.tap = w.api.Same.NewTap(&w.facts, lim, &w.patch)
}

// bodyOfAnswer takes a piece of the body.
func (w *watcher) bodyOfAnswer(b []byte, end bool) {
	if w.told || w.ended {
		return
	}
	w.bytesOut += len(b)
	w.given.Write(b)
	switch {
	case w.blind || w.form == passing:
	case w.form == stream && w.coding == "":
		w.events(b, end)
	default:
		if w.form != failure && len(b) > 0 {
			w.content()
		}
		w.reply, w.short = w.kept(w.reply, b, w.room(), w.short)
		if end {
			w.readReply()
		}
	}
	if end {
		w.ended = true
		w.finish()
	}
}

// room is how much of a body is kept.
func (w *watcher) room() int {
	if w.form == failure {
		return maxError
	}
	return w.setup.limits.Answer
}

// events reads those that a piece of a stream completes.
func (w *watcher) events(b []byte, end bool) {
	if w.err != nil {
		return
	}
	w.tap.Write(b, w.event)
	if end && w.err == nil {
		w.tap.Close(w.event)
	}
}

// event accounts for one.
func (w *watcher) event(ev *llm.Event) {
	switch ev.Kind {
	case llm.Failure:
		w.err = ev.Err
	case llm.End:
		w.over = true
	case llm.FinishEvent:
		if ev.Choice == 0 {
			w.stop = ev.Finish
		}
	case llm.Start:
		if w.facts.Model == "" {
			w.facts.Model = dialect.Plain(ev.Name, 256)
		}
	}
	if ev.Usage != nil {
		w.usage = *ev.Usage
	}
	if !w.commits && ev.Commits() {
		w.commits = true
		w.content()
	}
}

// content notes when the first content went by.
func (w *watcher) content() {
	if w.firstAt.IsZero() {
		w.firstAt = w.m.vm.Now()
	}
}

// readReply reads a body that was kept.
func (w *watcher) readReply() {
	defer w.drop(&w.reply)
	body, ok := w.plain(w.reply, w.coding, w.room())
	if w.form == failure {
		w.err = w.failed(body)
		return
	}
	if !ok || w.short {
		w.note(unreadAnswer)
		w.guess(body)
		return
	}
	w.glean(body) // whatever could not be read of the request
	switch {
	case w.form == stream:
		w.events(body, true)
	case w.call.Stream && jsonx.KindOf(body) == jsonx.Array:
		w.array(body)
	default:
		w.readWhole(body)
	}
}

// guess estimates an answer of which not all was read.
func (w *watcher) guess(body []byte) {
	if w.usage.Partial = true; w.call.Operation.Writes() {
		w.tokens = max(estimate.Escaped(body), estimate.Bytes(w.bytesOut))
	}
}

// failed is what an error answer means.
func (w *watcher) failed(body []byte) *llm.Error {
	if w.local {
		e := dialect.StatusError(w.status)
		e.Source, e.Code = llm.FromHost, "answered_by_host"
		if e.Class == llm.AuthError || w.status < 500 && e.Class == llm.ProviderError {
			e.Class = llm.ClientError
		}
		return e
	}
	return w.provider().Classify(w.status, w.header, body)
}

// header reads one of the answer's.
func (w *watcher) header(name string) string {
	if w.p.shown { // all at once are not given when there are many, and each at any time
		v, _ := w.s.Header(host.Response, name)
		return v
	}
	for i := range w.headers {
		if w.headers[i][0] == name {
			return w.headers[i][1]
		}
	}
	return ""
}

// readWhole reads an answer that is no stream.
func (w *watcher) readWhole(body []byte) {
	w.m.edits.Reset()
	usage, finish, e := w.api.Same.Answer(&w.m.edits, &w.facts, body, &w.patch)
	if w.call.Operation == llm.Passthrough {
		e = nil // files and batches are what they are
	}
	w.usage, w.stop, w.err = usage, finish, e
	if c, ok := w.api.Provider.(dialect.Counter); ok && !usage.Known {
		w.usage = c.Counted(w.header)
	}
	if !w.usage.Known && w.call.Operation.Writes() {
		w.tokens = estimate.Escaped(body)
	}
}

// array reads a stream that is one JSON array, each element as the event that it
// would have been.
func (w *watcher) array(body []byte) {
	if jsonx.Valid(body, jsonx.Limits{}) != nil {
		w.note(unreadAnswer)
		w.guess(body)
		return
	}
	w.form = stream
	w.watch()
	var ev []byte
	for it := jsonx.Elements(body); it.Next() && w.err == nil; {
		ev = append(append(append(ev[:0], "data: "...), it.Value()...), "\n\n"...)
		lines(ev[:len(ev)-2])
		w.events(ev, false)
	}
	w.events(nil, true)
}

// lines makes one line of JSON, in whose texts no line ends.
func lines(b []byte) {
	for i := range b {
		if b[i] == '\n' || b[i] == '\r' {
			b[i] = ' '
		}
	}
}
