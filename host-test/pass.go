package hosttest

// This file emulates how Envoy's filter manager iterates over filters in one direction
// (source/common/http/filter_manager.cc): where iteration stops, what is buffered meanwhile, and
// with what it goes on.

// iteration says whether a filter lets things pass.
type iteration uint8

const (
	iterate iteration = iota
	stopSingle
	stopAllBuffer
	stopAllWatermark
)

// sink takes what leaves the last filter of a pass.
type sink interface {
	sinkHeaders(h *Headers, eos bool)
	sinkData(d *buffer, eos bool)
	sinkTrailers(t *Headers)
}

// pass is one direction of one chain of filters.
type pass struct {
	decode bool
	hops   []*hop // in the order of this direction
	out    sink

	headers, trailers *Headers
	buffered          *buffer // one buffer for the whole pass, as in Envoy
	streaming         bool    // what is buffered may grow: push back instead of failing
	observedEnd       bool    // the end of the message has been fed in
	aborted           bool    // a local reply or a reset: nothing moves any more

	calls    int    // filters being called right now
	prepared func() // a local reply to send once the filter has returned

	limit    int    // bytes that may be buffered; 0 is no limit
	overflow func() // the buffer passed the limit without streaming
}

// hop is one filter's place in a pass.
type hop struct {
	pass   *pass
	index  int
	filter *httpFilter

	state            iteration
	headersContinued bool
	end              bool // this filter has seen the end
}

// newPass orders the filters: requests pass first to last, responses last to first.
func newPass(decode bool, filters []*httpFilter, out sink, forward bool) *pass {
	p := &pass{decode: decode, out: out, hops: make([]*hop, len(filters))}
	for i, f := range filters {
		at := i
		if !forward {
			at = len(filters) - 1 - i
		}
		h := &f.dec
		if !decode {
			h = &f.enc
		}
		*h = hop{pass: p, index: at, filter: f}
		p.hops[at] = h
	}
	return p
}

func (h *hop) stoppedAll() bool { return h.state == stopAllBuffer || h.state == stopAllWatermark }

// feedHeaders begins the message.
func (p *pass) feedHeaders(h *Headers, eos bool) {
	p.headers, p.observedEnd = h, eos
	p.passHeaders(0, eos)
}

func (p *pass) feedData(d *buffer, eos bool) {
	if p.aborted || p.observedEnd {
		return
	}
	p.observedEnd = eos
	p.passData(0, d, eos)
}

func (p *pass) feedTrailers(t *Headers) {
	if p.aborted || p.observedEnd {
		return
	}
	p.observedEnd, p.trailers = true, t
	p.passTrailers(0)
}

// guard runs one filter call; false means that the pass was aborted in it.
func (p *pass) guard(call func()) bool {
	p.calls++
	call()
	p.calls--
	if !p.aborted {
		return true
	}
	if f := p.prepared; f != nil && p.calls == 0 {
		p.prepared = nil
		f()
	}
	return false
}

func (p *pass) passHeaders(from int, eos bool) {
	// A filter may add a body to a message that had none: the end is then in the body.
	bodyAdded := -1
	for i := from; i < len(p.hops); i++ {
		h := p.hops[i]
		h.end = eos && bodyAdded < 0
		var a Action
		if !p.guard(func() { a = h.filter.onHeaders(p, h.end) }) {
			return
		}
		if !h.afterHeaders(a) {
			return
		}
		if eos && bodyAdded < 0 && p.buffered != nil {
			bodyAdded = i
		}
	}
	p.out.sinkHeaders(p.headers, eos && bodyAdded < 0)
	if bodyAdded >= 0 {
		p.hops[bodyAdded].state = stopSingle
		p.hops[bodyAdded].commonContinue()
	}
}

// afterHeaders says whether iteration goes on behind this filter.
func (h *hop) afterHeaders(a Action) bool {
	switch a {
	case Pause:
		h.state = stopSingle
	case StopAllAndBuffer:
		h.state = stopAllBuffer
	case StopAllAndWatermark:
		h.state = stopAllWatermark
	default:
		h.headersContinued = true
		return true
	}
	return false
}

func (p *pass) passData(from int, d *buffer, eos bool) {
	if p.aborted {
		return
	}
	trailersBefore, addedAt := p.trailers != nil, -1
	for i := from; i < len(p.hops); i++ {
		h := p.hops[i]
		if h.stoppedAll() {
			p.streaming = h.state == stopAllWatermark
			p.hold(d)
			return
		}
		if h.end {
			return
		}
		h.end = eos
		var a Action
		if !p.guard(func() { a = h.filter.onData(p, h, d, h.end) }) {
			return
		}
		if !trailersBefore && p.trailers != nil && addedAt < 0 {
			eos, addedAt = false, i
		}
		if !h.afterData(a, d) {
			return
		}
	}
	p.out.sinkData(d, eos)
	if addedAt >= 0 {
		p.passTrailers(addedAt + 1)
	}
}

func (h *hop) afterData(a Action, d *buffer) bool {
	p := h.pass
	if a == Continue {
		if h.state != stopSingle {
			return true
		}
		p.hold(d)
		h.commonContinue()
		return false
	}
	h.state = stopSingle
	switch a {
	case Pause, PauseAndWatermark:
		p.streaming = a == PauseAndWatermark
		p.hold(d)
	default:
		d.take() // kept by nobody: the filter said that it has it
		if p.observedEnd && p.trailers == nil && p.buffered == nil {
			p.buffered = &buffer{} // so that resuming passes the end on
		}
	}
	return false
}

func (p *pass) passTrailers(from int) {
	if p.aborted {
		return
	}
	for i := from; i < len(p.hops); i++ {
		h := p.hops[i]
		if h.stoppedAll() {
			return
		}
		h.end = true
		var a Action
		if !p.guard(func() { a = h.filter.onTrailers(p) }) {
			return
		}
		if a == Continue {
			if h.state == stopSingle {
				h.commonContinue()
				return
			}
			continue
		}
		h.state = stopSingle
		return
	}
	p.out.sinkTrailers(p.trailers)
}

// hold buffers data until a filter lets it pass.
func (p *pass) hold(d *buffer) {
	if p.buffered == nil {
		p.buffered = &buffer{}
	}
	if p.buffered != d {
		p.buffered.move(d)
	}
	if p.limit > 0 && p.buffered.len() > p.limit && !p.streaming && p.overflow != nil && !p.aborted {
		p.overflow()
	}
}

// commonContinue resumes behind this filter, or at it when everything was stopped here.
func (h *hop) commonContinue() {
	p := h.pass
	if p.aborted {
		return
	}
	defer h.filter.chain.stream.relief.changed()
	next := h.index + 1
	dataFrom := next
	if h.stoppedAll() {
		dataFrom = h.index
	}
	h.state = iterate
	if !h.headersContinued {
		h.headersContinued = true
		p.passHeaders(next, p.observedEnd && p.buffered == nil && p.trailers == nil)
	}
	trailers := p.trailers != nil
	if p.buffered != nil && !p.aborted {
		p.passData(dataFrom, p.buffered, p.observedEnd && !trailers)
	}
	if trailers && !p.aborted {
		p.passTrailers(dataFrom)
	}
}

// abort stops the pass for good.
func (p *pass) abort() { p.aborted = true }
