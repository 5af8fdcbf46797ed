package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	hosttest "github.com/posterngw/postern/host-test"
)

// callout looks at the requests that the module sends by itself, and answers
// the oldest.
func (p *player) callout(s *Step) error {
	p.attempts() // which of them are no callouts for this
	waiting := slices.DeleteFunc(p.host.Callouts(), func(c *hosttest.Callout) bool { return p.called[c] })
	if s.Kind == Idle {
		if len(waiting) > 0 {
			return fmt.Errorf("a callout waits at cluster %q", waiting[0].Upstream)
		}
		return nil
	}
	for _, c := range waiting {
		switch {
		case c.Upstream != s.Cluster:
		case s.Kind == Called:
			got := hosttest.Message{Headers: c.Headers, Chunks: [][]byte{c.Body}, Complete: true}
			return match(&s.Message, c.Headers.Get(":method")+" "+c.Headers.Get(":path"), got)
		default:
			return respond(c, s)
		}
	}
	return errors.New("no callout waits there")
}

func respond(c *hosttest.Callout, s *Step) error {
	switch s.Fault {
	case "refuse":
		c.FailWith(hosttest.ConnectFailure)
	case "reset":
		c.Fail()
	case "":
		words := strings.Fields(s.Message.First)
		if len(words) < 2 {
			return errors.New("not a status line: " + s.Message.First)
		}
		c.Respond(append([][2]string{{":status", words[1]}}, s.Message.Headers...), []byte(s.Message.Body), nil)
	default:
		return fmt.Errorf("a callout cannot %q", s.Fault)
	}
	return nil
}
