package pipeline

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/estimate"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/state"
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
	marker  *state.Marker
	marked  []byte // the same, with marks

	commits bool
	failure *llm.Error
	kept    int  // bytes that the host holds and that are done with
	taken   int  // bytes of the provider that were held
	length  bool // the provider gave a content-length
	pieces  int  // of text that went by, translated
	text    int  // bytes of it
	over    bool // the stream came to its own end: its end marker, or the message's
	cut     bool // it had its time: what the provider still sends is not waited for
}

func (p *providerStage) newStreamRelay(h *answerHead) *streamRelay {
	r, t := p.r, p.target()
	x := &streamRelay{p: p, length: h.length}
	r.stream = x
	lim := dialect.Limits{Event: r.snap.limits.Event, Depth: r.snap.limits.Depth}
	if kind := r.api.Client.StreamType(&r.facts); kind != h.kind {
		p.s.SetHeader(Response, "content-type", kind)
	}
	if p.attempt().same {
		x.tap, x.emit = r.api.Same.NewTap(&r.facts, lim, r.patch(t)), x.watch
		x.marker = p.marker()
		return x
	}
	x.decoder = p.attempt().api.Provider.NewDecoder(&r.facts, &t.Codec, lim)
	x.encoder = r.api.Client.NewEncoder(&r.facts, r.facts.Model)
	x.emit = x.translate
	return x
}

func (x *streamRelay) streams() bool { return true }

func (x *streamRelay) held(int) int { return x.kept }

// watch accounts for an event that passes.
func (x *streamRelay) watch(ev *llm.Event) {
	r := x.p.r
	switch {
	case ev.Kind == llm.Failure:
		x.failure = ev.Err
	case ev.Usage != nil:
		r.usage = *ev.Usage
	}
	if ev.Kind == llm.FinishEvent && ev.Choice == 0 {
		r.finish = ev.Finish
	}
	x.over = x.over || ev.Kind == llm.End
	if !x.commits && ev.Commits() {
		x.commits = true
		now := x.p.m.vm.Now()
		r.content(now)
		r.snap.health.Content(&r.passes[x.p.a], now.Sub(x.p.attempt().began), now)
	}
}

// translate accounts for an event and writes it in the client's dialect.
func (x *streamRelay) translate(ev *llm.Event) {
	x.watch(ev)
	if len(ev.Text) > 0 {
		x.pieces++
		x.text += len(ev.Text)
	}
	// Of a failure the encoder writes what goes before it; the error itself is
	// written by whoever knows whether the stream has begun.
	x.out = x.encoder.Append(x.out, ev)
}

// write takes bytes of the provider and returns those of the client. untouched
// says that they are the very same.
func (x *streamRelay) write(in []byte, end bool) (out []byte, untouched bool) {
	if x.tap != nil {
		return x.mark(x.pass(in, end))
	}
	x.out = x.out[:0]
	x.decoder.Write(in, x.emit)
	if end && x.failure == nil {
		x.decoder.Close(x.emit)
	}
	return x.out, false
}

// mark marks the ids in what is passed on.
func (x *streamRelay) mark(out []byte, untouched bool) ([]byte, bool) {
	if x.marker == nil {
		return out, untouched
	}
	var found bool
	if x.marked, found = x.marker.Append(x.marked[:0], out); !found {
		return out, untouched
	}
	return x.marked, false
}

func (x *streamRelay) pass(in []byte, end bool) ([]byte, bool) {
	out := x.tap.Write(in, x.emit)
	untouched := len(out) == len(in) && (len(in) == 0 || &out[0] == &in[0])
	if !end {
		return out, untouched
	}
	if !untouched { // what Write returned does not outlive the next call
		x.out = append(x.out[:0], out...)
		out = x.out
	}
	rest := x.tap.Close(x.emit)
	if len(rest) == 0 {
		return out, untouched
	}
	if untouched {
		x.out = append(x.out[:0], out...)
	}
	x.out = append(x.out, rest...)
	return x.out, false
}

func (x *streamRelay) chunk(p *providerStage, size int) Action {
	if p.r.answered {
		return x.flow(size, false)
	}
	return x.gate(size, false)
}

func (x *streamRelay) end(p *providerStage, size int) Action {
	if p.r.answered {
		return x.flow(size, true)
	}
	return x.gate(size, true)
}

// gate handles a stream that the client has not seen yet. What the host holds
// is kept in the client's dialect all the time.
func (x *streamRelay) gate(size int, end bool) Action {
	p := x.p
	fresh := max(size-x.kept, 0)
	x.taken += fresh
	out, untouched := x.write(p.s.Body(Response, x.kept, fresh), end)
	if x.failure != nil && !x.commits {
		return p.fail(x.failure)
	}
	p.held.out = append(p.held.out, out...)
	if x.failure != nil {
		p.held.out = x.appendFailure(p.held.out)
		untouched = false
	}
	if !untouched {
		p.show(p.held.out)
	}
	x.kept = len(p.held.out)
	if !x.commits && !end && x.taken <= p.r.snap.limits.HoldBytes {
		return Pause
	}
	x.open(p)
	if end {
		x.finish()
	}
	return p.let()
}

// open makes a held stream the client's.
func (x *streamRelay) open(p *providerStage) {
	if x.length {
		p.s.RemoveHeader(Response, "content-length")
	}
	p.r.told.Write(p.held.out)
	p.commit()
	x.kept = 0
}

// flow handles a stream that the client sees.
func (x *streamRelay) flow(size int, end bool) Action {
	p := x.p
	out, untouched := x.write(p.s.Body(Response, 0, size), end)
	if x.failure == nil && !x.over && !end {
		x.failure = x.spent()
	}
	if x.failure != nil {
		out, untouched = x.appendFailure(append([]byte(nil), out...)), false
		p.over = true
	}
	p.r.told.Write(out)
	if !untouched && (size > 0 || len(out) > 0) {
		p.show(out)
	}
	if end {
		x.finish()
	}
	return p.let()
}

// appendFailure ends a stream that has begun with a typed error event.
func (x *streamRelay) appendFailure(out []byte) []byte {
	r := x.p.r
	r.err = x.failure
	if a := r.current(); !a.over {
		a.err = x.failure
		r.endAttempt(x.p.m.vm.Now(), x.failure.Code)
	}
	return r.api.Client.AppendStreamError(out, x.failure, r.id)
}

func (x *streamRelay) finish() {
	x.over = x.failure == nil
	x.p.succeed(x.p.m.vm.Now())
}

// seen estimates the output tokens that went by.
func (x *streamRelay) seen() int64 {
	if x.tap != nil {
		return x.tap.Seen()
	}
	return max(int64(x.pieces), estimate.Bytes(x.text))
}

func (x *streamRelay) overflowed() int {
	if x.tap != nil {
		return x.tap.Overflowed()
	}
	return x.decoder.Overflowed()
}
