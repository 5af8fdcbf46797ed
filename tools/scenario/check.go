package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
)

// subset reports what of want is not in got: members of objects may be missing
// in want, elements of lists may not.
func subset(at string, want, got any) error {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return subsetObject(at, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			var errs []error
			for i := range w {
				errs = append(errs, subset(at+"/"+strconv.Itoa(i), w[i], g[i]))
			}
			return errors.Join(errs...)
		}
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Errorf("%s: got %v, want %v", at, got, want)
	}
	return nil
}

func subsetObject(at string, want, got map[string]any) error {
	var errs []error
	for name, w := range want {
		g, there := got[name]
		switch {
		case w == nil && !there: // null wants it absent
		case !there:
			errs = append(errs, fmt.Errorf("%s/%s: missing in %v", at, name, got))
		default:
			errs = append(errs, subset(at+"/"+name, w, g))
		}
	}
	return errors.Join(errs...)
}

// sound checks what must hold after any scenario.
func (p *player) sound() error {
	if n := p.host.Stats().Traps.Load(); n > 0 {
		return fmt.Errorf("%d traps", n)
	}
	if m := p.host.Misuse(); len(m) > 0 {
		return fmt.Errorf("misuse of the host: %s", strings.Join(m, "; "))
	}
	var errs []error
	for i, s := range p.streams {
		if err := errors.Join(soundStream(s), p.recorded(s)); err != nil {
			errs = append(errs, fmt.Errorf("request %d: %w", i+1, err))
		}
	}
	return errors.Join(errs...)
}

func soundStream(s *hosttest.Stream) error {
	errs := []error{soundMessage("response", s.Response())}
	for _, a := range s.Attempts() {
		what := "request to " + a.Cluster
		errs = append(errs, soundMessage(what, a.Request()))
		if rest := a.Smuggled(); rest != "" {
			errs = append(errs, fmt.Errorf("%s: %q is the next request's beginning", what, rest))
		}
	}
	return errors.Join(errs...)
}

// recorded wants a record in the access log, unless the scenario finds it in the
// host's log.
func (p *player) recorded(s *hosttest.Stream) error {
	access := s.AccessLog()
	if access == nil || slices.ContainsFunc(p.file.Steps, func(s Step) bool { return s.Kind == Logged }) {
		return nil
	}
	if record := recordOf(access); !json.Valid([]byte(record)) {
		return fmt.Errorf("no record: %q", record)
	}
	return nil
}

// forClients are the headers that tell a client about its answer.
var forClients = map[string]bool{"x-postern-loss": true, "x-postern-target": true, "x-postern-attempts": true, "x-postern-reason": true, "x-postern-estimated": true,
	"x-postern-mode": true, "x-postern-degraded": true}

// soundMessage checks framing and hygiene of what left the gateway.
func soundMessage(what string, m hosttest.Message) error {
	if m.Headers == nil {
		return nil
	}
	var errs []error
	for _, h := range m.Headers.Pairs() {
		// The emulated route does not take away the header that it matches.
		if strings.HasPrefix(h[0], "x-postern-") && h[0] != pipeline.ClusterHeader && !(what == "response" && forClients[h[0]]) {
			errs = append(errs, fmt.Errorf("%s: header %s", what, h[0]))
		}
		if h[0] != "content-length" {
			continue
		}
		n, err := strconv.Atoi(h[1])
		if size := len(m.Body()); err != nil || size > n || m.Complete && size < n {
			errs = append(errs, fmt.Errorf("%s: content-length is %q, the body has %d bytes", what, h[1], size))
		}
	}
	return errors.Join(errs...)
}
