package watch

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/estimate"
	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/limits"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/price"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// finish tells of the request, once: at the end of the answer, where a host still
// takes a record, or when the host says that all is over.
func (w *watcher) finish() {
	if w.told {
		return
	}
	w.told = true
	w.m.streams--
	w.endOfRequest()
	w.drop(&w.question)
	w.drop(&w.reply)
	w.m.doc = jsonx.Document{}
	rec := w.record()
	s := w.setup
	w.count(rec)
	if s != w.p.setup {
		s.telemetry.Flush() // no tick does it any more
	}
	if s.audit.Records {
		w.publish(rec)
	}
}

// count counts the request. A name that no configuration has is no label: it is the
// client's to choose.
func (w *watcher) count(rec *audit.Record) {
	name := rec.UpstreamModel
	if w.target == nil {
		rec.UpstreamModel = ""
	}
	w.setup.telemetry.Observe(rec)
	rec.UpstreamModel = name
}

// publish hands the record to the host's access log. Where there is no place for it
// a line of the log must do.
func (w *watcher) publish(rec *audit.Record) {
	w.m.line = rec.Append(w.m.line[:0])
	line := string(w.m.line)
	if w.p.shown && w.gone { // whoever asks about a request that is over gets another one's
		w.m.vm.Log(host.Info, "postern: audit "+line)
		return
	}
	name := record
	if w.p.shown {
		w.variables(rec)
		name = shownRecord
	}
	_ = w.s.Err()
	w.s.SetProperty(name, line)
	if w.s.Err() != nil {
		w.m.vm.Log(host.Info, "postern: audit "+line)
	}
}

// variables are what access logs of hosts with variables show by themselves.
func (w *watcher) variables(rec *audit.Record) {
	set := func(name, value string) {
		if value != "" {
			w.s.SetProperty(name, value)
		}
	}
	set("llm_model", rec.UpstreamModel)
	set("request_llm_model", limits.Cut(w.facts.Model, 256))
	if u := &rec.Usage; u.Known || u.Estimated {
		set("llm_prompt_tokens", strconv.FormatInt(u.InputTotal(), 10))
		set("llm_completion_tokens", strconv.FormatInt(u.OutputTotal(), 10))
	}
	if rec.FirstToken > 0 {
		set("llm_time_to_first_token", strconv.FormatInt(rec.FirstToken.Milliseconds(), 10))
	}
	set("postern_mode", Mode)
}

// record fills the module's one audit record in.
func (w *watcher) record() *audit.Record {
	now := w.m.vm.Now()
	rec := &w.m.rec
	rec.Reset()
	rec.Time, rec.RequestID, rec.StreamID = w.began, w.head.id, w.number
	rec.Status, rec.End = w.status, w.end()
	rec.Fail(w.err)
	rec.Principal, rec.Dialect, rec.API = w.principal, w.dialect.Name, w.api.Name
	rec.Operation, rec.Stream = w.call.Operation, w.facts.Stream
	w.account(rec.End)
	rec.Usage = w.usage
	if w.call.Operation.Writes() {
		rec.Finish = w.stop
	}
	rec.BytesIn, rec.BytesOut = int64(w.bytesIn), int64(w.bytesOut)
	rec.RequestDigest, rec.AnswerDigest = w.asked.Sum(), w.given.Sum()
	if span, ok := w.setup.trace.Start(w.head.trace, func() uint64 { return w.number }); ok {
		rec.TraceID = span.TraceID() // the span is the gateway's own to name
	}
	rec.Config, rec.Mode = w.setup.version, Mode
	rec.Degraded = append(rec.Degraded, w.notes...)
	rec.Total = now.Sub(w.began)
	if !w.firstAt.IsZero() {
		rec.FirstToken = w.firstAt.Sub(w.began)
	}
	if w.tap != nil {
		rec.Overflowed = w.tap.Overflowed()
	}
	w.served(rec)
	if rec.Target != "" && w.p.judge != nil {
		w.judged(rec)
	}
	return rec
}

// served tells what is known of the side that answered.
func (w *watcher) served(rec *audit.Record) {
	asked := w.facts.Model
	if w.target == nil { // the answer may have told
		w.target = w.setup.table.find(w.at, w.dialect, asked)
	}
	if rec.Model = w.setup.table.model(asked); w.target != nil {
		rec.Model = w.target.model
	}
	if asked != rec.Model {
		rec.Asked = limits.Cut(asked, 256)
	}
	rec.System = w.dialect.Name
	x := sold{kind: w.dialect.Name, model: asked}
	if w.at != nil {
		rec.Provider, rec.System, rec.Boundary = w.at.name, w.at.dialect.Name, w.at.boundary
		x.kind, x.flavour = w.at.dialect.Name, w.at.flavour
	}
	if t := w.target; t != nil {
		rec.Target, x.target = t.name, t.name
		if x.model = t.upstream; strings.Contains(x.model, "*") {
			x.model = asked
		}
		rec.UpstreamModel = x.model
	} else if w.status/100 == 2 {
		rec.UpstreamModel = limits.Cut(asked, 256) // the name has proved to be one
	}
	if w.status > 0 && rec.Target != "" {
		one := audit.Attempt{Target: rec.Target, Status: w.status, Took: rec.Total}
		if w.err != nil {
			one.Class = w.err.Class
		}
		rec.Attempts = append(rec.Attempts, one)
	}
	w.charge(rec, x)
}

// judged notes what would have been decided.
func (w *watcher) judged(rec *audit.Record) {
	if d, ok := w.p.judge(&Asked{Facts: &w.facts, Principal: w.principal, Model: rec.Model, Target: rec.Target}); ok {
		rec.Decision = d
	}
}

// charge says what the usage costs.
func (w *watcher) charge(rec *audit.Record, x sold) {
	u := &rec.Usage
	if !u.Known && !u.Estimated {
		return
	}
	p, known := w.setup.price(x)
	rec.Currency = w.setup.prices.Currency
	rec.Cost = int64(p.Cost(u, price.Items{Requests: 1, Images: int64(w.facts.Images)}))
	rec.CostUnknown = !known
}

// account completes what the provider did not count, as the modes that serve do.
func (w *watcher) account(end audit.End) {
	answered := w.status >= 200 && w.status < 300
	left := end == audit.ClientAbort && w.status == 0
	seen, partial := w.seen()
	switch {
	case w.call.Operation == llm.Passthrough, w.call.Operation == llm.Models:
		return // what the answer did not tell is not known
	case !answered && !left, answered && w.err != nil && w.tap == nil:
		return // no provider's answer
	case w.usage.Known && !partial:
		if w.facts.Images == 0 {
			w.m.factor(w.target).Learn(w.usage.InputTotal(), estimate.Bytes(w.facts.TextBytes))
		}
		return
	}
	w.usage.Partial = partial
	w.m.factor(w.target).Fill(&w.usage, seen, w.facts.TextBytes)
}

// seen estimates the output tokens that went by, and tells whether the answer was
// not seen to its end.
func (w *watcher) seen() (tokens int64, partial bool) {
	switch {
	case w.tap != nil:
		return w.tap.Seen(), !w.over || w.blind
	case w.status/100 == 2:
		return w.tokens, !w.ended || w.blind || w.usage.Partial
	}
	return 0, true
}

// end tells how the stream came to its end.
func (w *watcher) end() audit.End {
	switch {
	case w.panicked:
		return audit.Trap
	case w.ended && w.local:
		return audit.LocalReply
	case w.ended, w.over:
		return audit.Complete
	case w.p.shown:
		return audit.ClientAbort
	}
	how, _ := w.s.Property("response", "code_details")
	if w.status != 0 && !strings.HasPrefix(how, "downstream") && how != "" {
		return audit.UpstreamReset
	}
	return audit.ClientAbort
}
