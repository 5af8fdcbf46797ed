package pipeline

import "github.com/posterngw/postern/filters/llm"

// upgrades reports whether a WebSocket on the request's path is passed on.
func (r *request) upgrades() bool {
	return r.call.Operation == llm.Passthrough && r.snap.routes.Realtime(r.dialect) != nil
}

// passing lets an answer go as it comes, and holds nothing of it.
type passing struct{}

// newPassing chooses how the answer to a request that was passed on is read.
// Errors are the provider's own, but for those about the gateway's key. JSON is
// read for its usage, and events are watched for it.
func (p *providerStage) newPassing(h *answerHead) relay {
	switch {
	case h.status == 101 && p.r.upgrade:
		return passing{}
	case h.status == 401 || h.status == 403:
		return &errorRelay{h: *h}
	case h.status < 200 || h.status > 299 || !h.plain():
		return passing{}
	case h.kind == "application/json":
		return &wholeRelay{h: *h}
	case p.attempt().api.Provider.Streams(h.kind):
		return p.newStreamRelay(h)
	}
	return passing{}
}

// pass makes the answer in hand the client's, whatever more of it comes.
func (p *providerStage) pass() Action {
	p.relay = passing{}
	p.commit()
	return p.let()
}

func (passing) streams() bool { return false }
func (passing) held(int) int  { return 0 }

func (passing) chunk(*providerStage, int) Action { return Continue }

func (passing) end(p *providerStage, _ int) Action {
	if a := p.attempt(); a.status >= 400 && a.err == nil {
		a.err = &llm.Error{Class: llm.ClientError, Source: llm.FromProvider, Status: a.status, Code: "passed_on", Message: "the provider refused the request"}
		if a.status >= 500 {
			a.err.Class = llm.ProviderError
		}
		p.r.err = a.err
	}
	p.succeed(p.m.vm.Now())
	return p.let()
}
