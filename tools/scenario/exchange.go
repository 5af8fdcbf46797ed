package scenario

import (
	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
)

// Exchange is one attempt of a scenario as it passes behind the gateway: what was
// sent to a provider and what came back. Another gateway's neighbour sees the like.
type Exchange struct {
	Cluster  string
	Request  hosttest.Message
	Answer   [][2]string // headers
	Body     string
	Trailers [][2]string
	Bare     bool   // the headers are all of it
	Ended    bool   // it came to its end
	Record   string // of the client's request, when it ended with this attempt

	stream *hosttest.Stream
	last   int // of the stream's attempts
}

// Exchanges plays a scenario natively and returns those of its attempts that were
// answered.
func Exchanges(f *File, module hosttest.Module) ([]*Exchange, error) {
	native := *f
	native.Mode = pipeline.Native
	p, err := native.play(module, Whole)
	if err != nil {
		return nil, err
	}
	for _, x := range p.exchanges {
		if log := x.stream.AccessLog(); log != nil && x.last == len(x.stream.Attempts()) {
			x.Record = recordOf(log)
		}
	}
	return p.exchanges, nil
}

// began notes an answer.
func (p *player) began(a try, headers [][2]string, bare bool) {
	p.exchanges = append(p.exchanges, &Exchange{Cluster: a.cluster(), Request: a.Request(), Answer: headers, Bare: bare, Ended: bare,
		stream: p.stream, last: len(p.attempts())})
}

// came notes more of it.
func (p *player) came(s *Step) {
	x := p.exchanges[len(p.exchanges)-1]
	switch s.Kind {
	case Provider, Chunk:
		x.Body += s.Message.Body
		x.Ended = !s.Open
	case Trailers:
		x.Trailers, x.Ended = s.Message.Headers, true
	}
}
