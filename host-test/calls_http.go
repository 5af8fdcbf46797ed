package hosttest

import "errors"

// The calls that touch a stream: header maps, buffers, flow, local replies.

// writable is a header map that the module may change now, nil when the host does not offer it.
func (c *calls) writable(m MapType) *Headers {
	f := c.context().filter
	if f == nil {
		return nil
	}
	if f.plugin.rules.mapsAlways {
		return f.headerMap(m)
	}
	switch m {
	case RequestHeaders:
		return f.requestHeaders
	case ResponseHeaders:
		return f.responseHeaders
	case RequestTrailers:
		if f.requestTrailers == nil && f.requestBody != nil && f.end {
			f.requestTrailers = addTrailers(f.chain.dec)
		}
		return f.requestTrailers
	case ResponseTrailers:
		if f.responseTrailers == nil && f.responseBody != nil && f.end {
			f.responseTrailers = addTrailers(f.chain.enc)
		}
		return f.responseTrailers
	}
	return nil
}

// addTrailers makes trailers in the last body callback; iteration then ends with them.
func addTrailers(p *pass) *Headers {
	if p.trailers == nil {
		p.trailers = &Headers{}
	}
	return p.trailers
}

// readable is a header map that the module may read now; logging says that absence is not an error
// of the caller.
func (c *calls) readable(m MapType) (h *Headers, logging bool) {
	ctx := c.context()
	if m == HTTPCallResponseHeaders || m == HTTPCallResponseTrailers {
		return ctx.root.answer.header(m), false
	}
	f := ctx.filter
	if f == nil {
		return nil, false
	}
	if f.plugin.rules.mapsAlways {
		return f.headerMap(m), false
	}
	if v := f.logging; v != nil {
		return [...]*Headers{v.request, nil, v.response, v.trailers, nil, nil}[m], true
	}
	return [...]*Headers{f.requestHeaders, f.requestTrailers, f.responseHeaders, f.responseTrailers, nil, nil}[m], false
}

// headerMap is a map of the stream itself, whatever its phase; at its end there is none.
func (f *httpFilter) headerMap(m MapType) *Headers {
	if f.destroyed {
		return nil
	}
	s := f.chain.stream
	switch m {
	case RequestHeaders:
		return s.requestHeaders
	case ResponseHeaders:
		return s.responseHeaders
	}
	return nil
}

func (c *calls) HeaderPairs(m MapType) ([][2]string, Status) {
	if s, no := c.refused("get_header_map_pairs"); no {
		return nil, s
	}
	if m > maxMapType {
		return nil, StatusBadArgument
	}
	h, _ := c.readable(m)
	if hook := c.context().plugin.rules.pairs; hook != nil {
		return hook(c.context().filter, h, m)
	}
	return h.Pairs(), StatusOK
}

func (c *calls) SetHeaderPairs(m MapType, pairs [][2]string) Status {
	if s, no := c.refused("set_header_map_pairs"); no {
		return s
	}
	h := c.writable(m)
	if h == nil {
		return StatusBadArgument
	}
	h.clear()
	for _, p := range pairs {
		h.Add(c.name(m, p[0]), p[1])
	}
	return c.changed(m)
}

func (c *calls) Header(m MapType, name string) (string, Status) {
	if s, no := c.refused("get_header_map_value"); no {
		return "", s
	}
	if m > maxMapType {
		return "", StatusBadArgument
	}
	h, logging := c.readable(m)
	if hook := c.context().plugin.rules.readHeader; hook != nil {
		if s := hook(c.context().filter, h, m, name); s != StatusOK {
			return "", s
		}
	}
	if h == nil {
		if logging {
			return "", StatusNotFound
		}
		return "", StatusBadArgument
	}
	v, ok := h.Lookup(c.name(m, name))
	if !ok {
		return "", StatusNotFound
	}
	return v, StatusOK
}

func (c *calls) ReplaceHeader(m MapType, name, value string) Status {
	if s, no := c.refused("replace_header_map_value"); no {
		return s
	}
	h := c.writable(m)
	if h == nil {
		return StatusBadArgument
	}
	if handled, s := c.writtenByHook(h, m, name, value); handled {
		return s
	}
	h.Set(c.name(m, name), value)
	return c.changed(m)
}

func (c *calls) AddHeader(m MapType, name, value string) Status {
	if s, no := c.refused("add_header_map_value"); no {
		return s
	}
	h := c.writable(m)
	if h == nil {
		return StatusBadArgument
	}
	if handled, s := c.writtenByHook(h, m, name, value); handled {
		return s
	}
	h.Add(c.name(m, name), value)
	return c.changed(m)
}

// writtenByHook lets a profile take over a change of one header; an empty value removes.
func (c *calls) writtenByHook(h *Headers, m MapType, name, value string) (bool, Status) {
	if hook := c.context().plugin.rules.writeHeader; hook != nil {
		return hook(c.context().filter, h, m, name, value)
	}
	return false, StatusOK
}

func (c *calls) RemoveHeader(m MapType, name string) Status {
	if s, no := c.refused("remove_header_map_value"); no {
		return s
	}
	h := c.writable(m)
	if h == nil {
		return StatusBadArgument
	}
	if handled, s := c.writtenByHook(h, m, name, ""); handled {
		return s
	}
	h.Remove(c.name(m, name))
	return c.changed(m)
}

// name is a header's name in its map.
func (c *calls) name(m MapType, name string) string {
	if m == RequestHeaders {
		return requestName(name)
	}
	return name
}

// changed follows a change of a header map: that of request headers clears the route cache, which
// an upstream filter cannot (Envoy: onHeadersModified).
func (c *calls) changed(m MapType) Status {
	if f := c.context().filter; m == RequestHeaders && f.chain.attempt == nil {
		f.chain.stream.router.clearRoute()
	}
	return StatusOK
}

func (c *calls) HeaderMapSize(m MapType) (uint32, Status) {
	if s, no := c.refused("get_header_map_size"); no {
		return 0, s
	}
	h := c.writable(m)
	if h == nil {
		return 0, StatusBadArgument
	}
	return uint32(h.ByteSize()), StatusOK
}

// bytesOf is a readable buffer; ok is false when the host does not offer it now.
func (c *calls) bytesOf(b BufferType) (p []byte, ok bool) {
	ctx := c.context()
	switch b {
	case RequestBody, ResponseBody:
		if d := c.body(b); d != nil {
			return d.b, true
		}
		return nil, true
	case HTTPCallResponseBody:
		if a := ctx.root.answer; a != nil {
			return a.body, true
		}
	case VMConfiguration:
		return ctx.vm.first.VMConfig, true
	case PluginConfiguration:
		if ctx.configuring {
			return ctx.plugin.Config, true
		}
	case CallData:
		return ctx.callData, true
	case DownstreamData, UpstreamData, GRPCReceiveBuffer:
		return nil, true
	}
	return nil, false
}

// body is the body that the running callback is about, or the one that this filter holds back.
func (c *calls) body(b BufferType) *buffer {
	f := c.context().filter
	if f == nil {
		return nil
	}
	if f.plugin.rules.onlyOnDemand && f.requestBody != nil {
		return f.requestBody // one buffer for both
	}
	if b == RequestBody {
		if f.bufferingRequest {
			return f.chain.dec.buffered
		}
		return f.requestBody
	}
	if f.bufferingResponse {
		return f.chain.enc.buffered
	}
	return f.responseBody
}

func (c *calls) Buffer(b BufferType, start, size uint32) ([]byte, Status) {
	if s, no := c.refused("get_buffer_bytes"); no {
		return nil, s
	}
	if b > maxBufferType {
		return nil, StatusBadArgument
	}
	p, ok := c.bytesOf(b)
	if hook := c.vm.first.rules.readBuffer; hook != nil {
		return hook(b, p, start, size)
	}
	if !ok {
		return nil, StatusNotFound
	}
	return window(p, start, size), StatusOK
}

func (c *calls) BufferStatus(b BufferType) (uint32, uint32, Status) {
	if s, no := c.refused("get_buffer_status"); no {
		return 0, 0, s
	}
	if b > maxBufferType {
		return 0, 0, StatusBadArgument
	}
	p, ok := c.bytesOf(b)
	if !ok {
		return 0, 0, StatusNotFound
	}
	return uint32(len(p)), 0, StatusOK
}

func (c *calls) SetBuffer(b BufferType, start, size uint32, data []byte) Status {
	if s, no := c.refused("set_buffer_bytes"); no {
		return s
	}
	if b != RequestBody && b != ResponseBody {
		if _, ok := c.bytesOf(b); !ok && b <= maxBufferType {
			return StatusNotFound
		}
		return StatusBadArgument
	}
	d := c.body(b)
	if d == nil {
		return StatusBadArgument
	}
	return d.replace(start, size, data)
}

// errEarlyResponse: Envoy resumes an answer that has not come by passing on headers that are not
// there, and the process ends.
var errEarlyResponse = errors.New("envoy: response continued before it has begun: the proxy crashes")

func (c *calls) ContinueStream(t StreamType) Status {
	if s, no := c.refused("continue_stream"); no {
		return s
	}
	if t > maxContinueStreamType {
		return StatusBadArgument
	}
	f := c.context().filter
	switch t {
	case DownstreamStream:
		return StatusOK
	case UpstreamStream:
		return StatusUnimplemented
	}
	if f == nil {
		return StatusOK
	}
	h := &f.dec
	if t == ResponseStream {
		h = &f.enc
		if h.pass.headers == nil && !f.destroyed {
			c.vm.crash(errEarlyResponse)
			return StatusOK
		}
	}
	c.vm.defer_(func() {
		if !f.destroyed {
			f.bufferingRequest = f.bufferingRequest && t != RequestStream
			f.bufferingResponse = f.bufferingResponse && t != ResponseStream
			h.commonContinue()
		}
	})
	// Envoy forgets what the request callbacks were about, whichever half continues.
	f.requestHeaders, f.requestBody, f.requestTrailers = nil, nil, nil
	return StatusOK
}

func (c *calls) CloseStream(t StreamType) Status {
	if s, no := c.refused("close_stream"); no {
		return s
	}
	if t > maxContinueStreamType {
		return StatusBadArgument
	}
	if f := c.context().filter; f != nil && t <= ResponseStream {
		c.vm.defer_(func() {
			if !f.destroyed {
				f.chain.reset()
			}
		})
	}
	return StatusOK
}

func (c *calls) SendLocalResponse(code uint32, details string, body []byte, headers [][2]string, grpc int32) Status {
	if s, no := c.refused("send_local_response"); no {
		return s
	}
	r := localReply{status: int(code), details: underscored(details), grpc: grpc, module: true, body: append([]byte(nil), body...), headers: append([][2]string(nil), headers...)}
	f := c.context().filter
	if f != nil && f.plugin.rules.localReply != nil && f.plugin.rules.localReply(f, r) {
		return StatusOK
	}
	if f != nil {
		c.vm.defer_(func() {
			if !f.destroyed {
				f.chain.localReply(r)
			}
		})
	}
	c.vm.stopped = true
	return StatusOK
}
