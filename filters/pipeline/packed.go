package pipeline

// packedRelay takes a stream that came compressed although nobody asked for that.
// A coding hides where events end, so the stream is read whole, up to the bound of
// a whole answer, and then goes on as any other, all at once.
type packedRelay struct{ h answerHead }

func (x *packedRelay) streams() bool     { return false }
func (x *packedRelay) held(size int) int { return size }

func (x *packedRelay) chunk(p *providerStage, size int) Action {
	if size <= p.r.snap.limits.Answer {
		return Pause
	}
	return p.finish(size)
}

func (x *packedRelay) end(p *providerStage, size int) Action {
	body, e := p.whole(&x.h, size)
	if e != nil {
		return p.fail(e)
	}
	p.s.RemoveHeader(Response, "content-encoding")
	stream := p.newStreamRelay(&x.h)
	p.relay = stream
	return stream.unpacked(body)
}

// unpacked takes the whole of a stream of which the client has seen nothing. What
// the host shows is not it, so it is always replaced.
func (x *streamRelay) unpacked(body []byte) Action {
	p := x.p
	out, _ := x.write(body, true)
	if x.failure != nil && !x.commits {
		return p.fail(x.failure)
	}
	p.held.out = append(p.held.out[:0], out...)
	if x.failure != nil {
		p.held.out = x.appendFailure(p.held.out)
	}
	p.show(p.held.out)
	x.open(p)
	x.finish()
	return p.let()
}
