package pipeline

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/route"
)

// streamRelay carries a streamed answer: bytes kept and watched when both
// sides speak one dialect, else decoded and encoded event by event. What it
// keeps does not grow with the stream.
type streamRelay struct {
	p       *providerStage
	tap     dialect.Tap // same dialect
	decoder dialect.Decoder
	encoder dialect.Encoder
	emit    func(*llm.Event)
	out     []byte // what the chunk in hand becomes

	commits bool
	failure *llm.Error
	kept    int // bytes that the host holds and that are done with
	length  bool
	text    int  // bytes of text that went by, translated
	over    bool // the stream came to its end
}

func (r *request) newStreamRelay(t *route.Target, h *answerHead) *streamRelay {
	x := &streamRelay{length: h.length}
	r.stream = x
	lim := dialect.Limits{Event: r.snap.limits.Event, Depth: r.snap.limits.Depth}
	if r.same(t) {
		x.tap, x.emit = r.dialect.Same.NewTap(&r.facts, lim, r.patch(t)), x.watch
		return x
	}
	x.decoder = t.Provider.Dialect.Provider.NewDecoder(&r.facts, lim)
	x.encoder = r.dialect.Client.NewEncoder(&r.facts, r.facts.Model)
	x.emit = x.translate
	return x
}

func (x *streamRelay) streams() bool { return true }

// watch accounts for an event that passes.
func (x *streamRelay) watch(ev *llm.Event) {
	r := x.p.r
	switch {
	case ev.Kind == llm.Failure:
		x.failure = ev.Err
	case ev.Usage != nil:
		r.usage = *ev.Usage
	case ev.Kind == llm.FinishEvent:
		r.finish = ev.Finish
	}
	if !x.commits && ev.Commits() {
		x.commits = true
		r.content(x.p.m.vm.Now())
	}
}

// translate accounts for an event and writes it in the client's dialect.
func (x *streamRelay) translate(ev *llm.Event) {
	x.watch(ev)
	x.text += len(ev.Text)
	if ev.Kind == llm.Failure {
		return // written by whoever knows whether the stream has begun
	}
	x.out = x.encoder.Append(x.out, ev)
}

// write takes bytes of the provider and returns those of the client. untouched
// says that they are the very same.
func (x *streamRelay) write(in []byte, end bool) (out []byte, untouched bool) {
	if x.tap != nil {
		return x.pass(in, end)
	}
	x.out = x.out[:0]
	x.decoder.Write(in, x.emit)
	if end && x.failure == nil {
		x.decoder.Close(x.emit)
	}
	return x.out, false
}

func (x *streamRelay) pass(in []byte, end bool) ([]byte, bool) {
	out := x.tap.Write(in, x.emit)
	untouched := len(out) == len(in) && (len(in) == 0 || &out[0] == &in[0])
	if !end {
		return out, untouched
	}
	rest := x.tap.Close(x.emit)
	if len(rest) == 0 {
		return out, untouched
	}
	x.out = append(append(x.out[:0], out...), rest...)
	return x.out, false
}

func (x *streamRelay) chunk(p *providerStage, size int) Action {
	if x.p = p; p.r.answered {
		return x.flow(size, false)
	}
	return x.gate(size, false)
}

func (x *streamRelay) end(p *providerStage, size int) Action {
	if x.p = p; p.r.answered {
		return x.flow(size, true)
	}
	return x.gate(size, true)
}

// gate handles a stream that the client has not seen yet. What the host holds
// is kept in the client's dialect all the time.
func (x *streamRelay) gate(size int, end bool) Action {
	p := x.p
	out, untouched := x.write(p.s.Body(Response, x.kept, size-x.kept), end)
	if x.failure != nil && !x.commits {
		return p.fail(x.failure)
	}
	p.held.out = append(p.held.out, out...)
	p.r.told.Write(out)
	if x.failure != nil {
		p.held.out = x.appendFailure(p.held.out)
		untouched = false
	}
	if !untouched || x.kept != len(p.held.out)-len(out) {
		p.s.SetBody(Response, p.held.out)
	}
	x.kept = len(p.held.out)
	if !x.commits && !end && x.kept <= p.r.snap.limits.HoldBytes {
		return Pause
	}
	return x.open(end)
}

// open lets a held stream go to the client.
func (x *streamRelay) open(end bool) Action {
	p := x.p
	if x.length {
		p.s.RemoveHeader(Response, "content-length")
	}
	p.commit()
	x.kept = 0
	if end {
		x.finish()
	}
	return Continue
}

// flow handles a stream that the client sees.
func (x *streamRelay) flow(size int, end bool) Action {
	p := x.p
	if x.failure != nil {
		p.s.SetBody(Response, nil)
		return Continue
	}
	// A hold that ended by time left its bytes, already translated, in the buffer
	// only if the host shows them again; kept says how many those are.
	out, untouched := x.write(p.s.Body(Response, 0, size), end)
	if x.failure != nil {
		out, untouched = x.appendFailure(append([]byte(nil), out...)), false
	}
	p.r.told.Write(out)
	if !untouched {
		p.s.SetBody(Response, out)
	}
	if end {
		x.finish()
	}
	return Continue
}

// appendFailure ends a stream that has begun with a typed error event.
func (x *streamRelay) appendFailure(out []byte) []byte {
	r := x.p.r
	r.err = x.failure
	if a := r.current(); a.err == nil {
		a.err = x.failure
	}
	return r.dialect.Client.AppendStreamError(out, x.failure, r.id)
}

func (x *streamRelay) finish() {
	x.over = true
	x.p.succeed(x.p.m.vm.Now())
}

// seen estimates the output tokens that went by.
func (x *streamRelay) seen() int64 {
	if x.tap != nil {
		return x.tap.Seen()
	}
	return int64(x.text+bytesPerToken-1) / bytesPerToken
}

func (x *streamRelay) overflowed() int {
	if x.tap != nil {
		return x.tap.Overflowed()
	}
	return x.decoder.Overflowed()
}
