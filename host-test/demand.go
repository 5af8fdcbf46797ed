package hosttest

// This file is about hosts that call body callbacks only where the module asked for them (APISIX):
// the request's body once and whole, the response's chunks as they come, then an empty last one.

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
		f.demandChunk(p, d, eos)
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

func (f *httpFilter) demandChunk(p *pass, d *buffer, eos bool) {
	if d.len() > 0 {
		f.responseBody = d
		f.call(CallbackResponseBody, Args{uint32(d.len()), 0}, PauseNoBuffer, PauseNoBuffer)
	}
	if eos {
		f.responseBody = nil
		f.call(CallbackResponseBody, Args{0, 1}, PauseNoBuffer, PauseNoBuffer)
	}
	f.responseBody = nil
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
