package hosttest

// chain is the filters of one stream (downstream) or of one attempt (upstream).
type chain struct {
	stream  *Stream
	attempt *Attempt // nil downstream
	filters []*httpFilter
	dec     *pass
	enc     *pass
}

func newChain(s *Stream, a *Attempt, handles []*pluginHandle, down, up sink) *chain {
	c := &chain{stream: s, attempt: a, filters: make([]*httpFilter, len(handles))}
	for i, h := range handles {
		f := &httpFilter{plugin: h.plugin, chain: c}
		f.ctx = h.root.vm.newContext(h.plugin, h.root)
		f.ctx.filter = f
		f.unconfigured = h.plugin.rules.configureLate && !h.root.configured
		c.filters[i] = f
	}
	c.dec = newPass(true, c.filters, down, true)
	c.enc = newPass(false, c.filters, up, s.host.profile.rules.encodeFirst)
	return c
}

// localReply answers the client in place of the upstream.
func (c *chain) localReply(r localReply) {
	if c.attempt != nil {
		// A local reply of an upstream filter ends the attempt and is not retried (HOSTS.md).
		c.abort()
	}
	c.stream.localReply(r)
}

// reset is what a filter asks for by close_stream.
func (c *chain) reset() { c.stream.reset("wasm_close_stream") }

func (c *chain) abort() {
	c.dec.abort()
	c.enc.abort()
}

func (c *chain) destroy() {
	c.abort()
	for _, f := range c.filters {
		f.destroy()
	}
}
