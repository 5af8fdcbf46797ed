package hosttest

// This file is about hosts that call body callbacks only where the module asked for them (APISIX):
// the request's body once and whole, the response's chunks as they come, then an empty last one. A
// page of the host's own comes at once, and an answer that breaks off ends with an empty chunk that is
// not the last.

// demandHeaders is what follows a request-headers callback that lets the request go on.
func (f *httpFilter) demandHeaders(p *pass, a Action, eos bool) Action {
	if a != Continue || !p.decode || !f.wantRequestBody {
		return a
	}
	if eos {
		return f.demandBody(p)
	}
	return Pause // wait for the body
}

// demandData is a piece of a body.
func (f *httpFilter) demandData(p *pass, d *buffer, eos bool) Action {
	if !f.wants(p) || f.ctx.failed() {
		return Continue
	}
	if !p.decode {
		f.demandChunk(d, eos)
		return Continue
	}
	if !eos {
		return Pause
	}
	p.hold(d)
	return f.demandBody(p)
}

// demandBody shows the module the whole request body, once.
func (f *httpFilter) demandBody(p *pass) Action {
	f.wantRequestBody = false
	f.requestBody = p.buffered
	a := f.call(CallbackRequestBody, Args{uint32(p.buffered.len()), 1}, PauseNoBuffer, Pause)
	f.requestBody = nil
	if a != Continue {
		return Pause
	}
	return Continue
}

func (f *httpFilter) demandChunk(d *buffer, eos bool) {
	whole := eos && f.chain.stream.page
	if d.len() > 0 {
		f.demandCall(d, whole)
	}
	if eos && !whole {
		f.demandCall(nil, true)
	}
}

func (f *httpFilter) demandCall(d *buffer, eos bool) {
	if f.responseBody = d; d == nil {
		d = &buffer{}
	}
	f.call(CallbackResponseBody, Args{uint32(d.len()), bit(eos)}, PauseNoBuffer, PauseNoBuffer)
	f.responseBody = nil
}

// demandEmpty is an answer without a body.
func (f *httpFilter) demandEmpty() {
	if f.wantResponseBody && !f.ctx.failed() {
		f.demandCall(nil, false)
		f.demandCall(nil, true)
	}
}

// demandCut is an answer that breaks off.
func (c *chain) demandCut() {
	for _, f := range c.filters {
		if f.wantResponseBody && !f.ctx.failed() {
			f.demandCall(nil, false)
		}
	}
}

// demandResume goes on with a request whose callout has been answered: to the body callback if the
// module asked for it, else to the next filter.
func (f *httpFilter) demandResume() {
	h, p := &f.dec, f.dec.pass
	if f.wantRequestBody {
		h.state = stopSingle
		if !p.observedEnd || f.demandBody(p) != Continue {
			return
		}
	}
	h.commonContinue()
}
