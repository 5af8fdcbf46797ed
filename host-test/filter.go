package hosttest

// httpFilter is one module in one chain of one stream or attempt: what a host's WebAssembly HTTP
// filter does around the callbacks (Envoy: source/extensions/common/wasm/context.cc). The header
// pointers are nil whenever the module may not touch that map.
type httpFilter struct {
	plugin *plugin
	ctx    *vmContext
	chain  *chain
	dec    hop
	enc    hop

	requestHeaders, responseHeaders   *Headers
	requestTrailers, responseTrailers *Headers
	requestBody, responseBody         *buffer
	bufferingRequest                  bool
	bufferingResponse                 bool
	end                               bool // the last frame was the last of its message

	destroyed    bool
	streamFailed bool // the VM died and this stream was told
	replied      bool // … by a 503: the module sees nothing of it
	logging      *accessView

	unconfigured                      bool // where configuration is late: it failed
	wantRequestBody, wantResponseBody bool // where body callbacks come on demand
}

// accessView is what a module can read in on_log.
type accessView struct{ request, response, trailers *Headers }

// failed handles a dead VM as cpp-host's CHECK_FAIL does: it ends the stream, once. Only where a host
// looks away (open) the stream passes.
func (f *httpFilter) failed(cb Callback) (open, closed bool) {
	if !f.ctx.failed() {
		return false, false
	}
	if f.plugin.rules.deadPasses != nil && f.plugin.rules.deadPasses(cb) {
		return true, false
	}
	if f.ctx.vm.worker.crashed {
		return false, true // nobody is left to answer
	}
	if !f.streamFailed {
		f.streamFailed = true
		if !f.replied {
			f.replied = true
			f.chain.localReply(localReply{status: 503, details: "wasm_fail_stream"})
		}
	}
	return false, true
}

// call runs a stream callback between two looks at the VM's health. Results beyond limit and any
// result after a local response become stop.
func (f *httpFilter) call(cb Callback, a Args, limit, stop Action) Action {
	if open, closed := f.failed(cb); open {
		return Continue
	} else if closed {
		return stop
	}
	result := Action(f.ctx.invoke(cb, a))
	if f.ctx.vm.trapped {
		f.ctx.vm.trapped = false
		defer f.ctx.vm.leave()
		return f.trapped(cb)
	}
	if judge := f.plugin.rules.judge; judge != nil {
		result = judge(f, cb, result)
	}
	stopped := f.ctx.vm.stopped
	open, closed := f.failed(cb)
	f.ctx.vm.leave()
	switch {
	case open:
		return Continue
	case closed, stopped, result > limit:
		return stop
	}
	return result
}

func (f *httpFilter) onHeaders(p *pass, eos bool) Action {
	if p.decode {
		a := f.decodeHeaders(p.headers, eos)
		if f.plugin.rules.onlyOnDemand {
			return f.demandHeaders(p, a, eos)
		}
		return a
	}
	if !f.ctx.live() || f.replied {
		return Continue
	}
	f.responseHeaders, f.end = p.headers, eos
	a := f.headerAction(f.call(CallbackResponseHeaders, f.headerArgs(p.headers, eos), StopAllAndWatermark, StopAllAndWatermark))
	if a == Continue {
		f.responseHeaders = nil
	}
	if eos && f.plugin.rules.onlyOnDemand {
		f.demandEmpty()
	}
	return a
}

func (f *httpFilter) decodeHeaders(h *Headers, eos bool) Action {
	if f.unconfigured {
		f.chain.localReply(localReply{status: 503, details: "plugin_not_configured"})
		return StopAllAndWatermark
	}
	f.ctx.create()
	f.ctx.created = true
	f.requestHeaders, f.end = h, eos
	a := f.headerAction(f.call(CallbackRequestHeaders, f.headerArgs(h, eos), StopAllAndWatermark, StopAllAndWatermark))
	if a == Continue {
		f.requestHeaders = nil
	}
	return a
}

func (f *httpFilter) headerArgs(h *Headers, eos bool) Args {
	if args := f.plugin.rules.headerArgs; args != nil {
		return args(h, eos)
	}
	return Args{uint32(h.Len()), bit(eos)}
}

// headerAction turns Pause into a stop of everything, body included, unless the filter allows the
// plain one (Envoy: allow_on_headers_stop_iteration, off by default).
func (f *httpFilter) headerAction(a Action) Action {
	if a == Pause && !f.plugin.AllowHeadersStop {
		return StopAllAndWatermark
	}
	if a == ContinueAndEndStream {
		return Continue
	}
	return a
}

func (f *httpFilter) onData(p *pass, h *hop, d *buffer, eos bool) Action {
	if !f.ctx.live() || !p.decode && f.replied {
		return Continue
	}
	if f.plugin.rules.onlyOnDemand {
		return f.demandData(p, d, eos)
	}
	buffering, body, cb := &f.bufferingRequest, &f.requestBody, CallbackRequestBody
	if !p.decode {
		buffering, body, cb = &f.bufferingResponse, &f.responseBody, CallbackResponseBody
	}
	current := d
	if *buffering {
		p.hold(d)
		if f.destroyed {
			return Pause // buffering went over the limit and ended the stream
		}
		current = p.buffered
	}
	*body, f.end = current, eos
	a := f.call(cb, Args{uint32(current.len()), bit(eos)}, PauseNoBuffer, PauseNoBuffer)
	*buffering = a == Pause
	if a == Continue {
		*body = nil
	}
	return a
}

func (f *httpFilter) onTrailers(p *pass) Action {
	if !f.ctx.live() || !p.decode && f.replied || f.plugin.rules.noTrailers {
		return Continue
	}
	trailers, cb := &f.requestTrailers, CallbackRequestTrailers
	if !p.decode {
		trailers, cb = &f.responseTrailers, CallbackResponseTrailers
	}
	*trailers = p.trailers
	a := f.call(cb, Args{uint32(p.trailers.Len())}, Pause, Pause)
	if a == Continue {
		*trailers = nil
	}
	return a
}

// live says that the guest knows this context.
func (c *vmContext) live() bool { return c != nil && c.created }

// destroy ends the context: on_done, on_delete. What on_done returns counts for roots only.
func (f *httpFilter) destroy() {
	if f.destroyed || !f.ctx.live() {
		f.destroyed = true
		f.ctx.remove()
		return
	}
	f.destroyed = true
	f.ctx.invoke(CallbackDone, Args{})
	f.ctx.vm.leave()
	f.ctx.invoke(CallbackDelete, Args{})
	f.ctx.vm.leave()
	f.ctx.remove()
	f.ctx.filter = nil
}

// log is the access-log callback; a stream that never reached the filter is announced first.
func (f *httpFilter) log(v *accessView) {
	if f.ctx == nil {
		return
	}
	f.ctx.create()
	f.ctx.created = true
	f.logging = v
	f.ctx.invoke(CallbackLog, Args{})
	f.logging = nil
	f.ctx.vm.leave()
}
