package pipeline

import "github.com/posterngw/postern/filters/llm"

// Gatherer fetches something that deciding needs. It calls done exactly once,
// at once or from a later callback; an error answers the request.
type Gatherer interface {
	Gather(f *llm.Facts, done func(*llm.Error))
}

// gathered counts the facts that one request still waits for, and lets the
// request go on exactly once when the last has come.
type gathered struct {
	c       *clientStage
	pending int
	err     *llm.Error
	waiting bool // start has returned: what comes now resumes the stream
}

// start begins all gatherers; true when there is nothing to wait for.
func (g *gathered) start() bool {
	g.pending = len(g.c.m.gather)
	for _, one := range g.c.m.gather {
		one.Gather(&g.c.r.facts, g.once())
	}
	g.credentials()
	g.waiting = g.pending > 0
	return !g.waiting
}

// once makes a done that counts a single time, however often it is called.
func (g *gathered) once() func(*llm.Error) {
	called := false
	return func(e *llm.Error) {
		if called {
			return
		}
		called = true
		g.done(e)
	}
}

func (g *gathered) done(e *llm.Error) {
	g.pending--
	if g.err == nil {
		g.err = e
	}
	if g.pending == 0 && g.waiting {
		g.c.resume(g.err)
	}
}

// resume goes on with a request that waited. The stream may have ended since.
func (c *clientStage) resume(e *llm.Error) {
	if c.r.phase != gathering {
		return
	}
	c.s.Activate()
	if e != nil {
		c.fail(e)
		return
	}
	// The body was not kept while waiting: the host has it.
	doc, e := c.document()
	defer c.m.forget()
	if e != nil {
		c.fail(e)
		return
	}
	if c.send(doc) == proceed {
		c.s.Resume(Request)
	}
}
