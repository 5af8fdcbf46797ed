package pipeline

import (
	"strings"
)

// The headers that tell a client where its answer is from, and how it came.
const (
	modeHeader     = ownPrefix + "mode"
	degradedHeader = ownPrefix + "degraded"
	targetHeader   = ownPrefix + "target"
	attemptsHeader = ownPrefix + "attempts"
	reasonHeader   = ownPrefix + "reason"
)

// origin adds what tells where an answer is from, unless the configuration does
// not want that. What goes without saying is not said: a single attempt, and a
// target that had no rival.
func (r *request) origin(add func(name, value string)) {
	if !r.snap.origin || len(r.attempts) == 0 {
		return
	}
	if mode := r.front.way.mode(); mode != Native {
		add(modeHeader, string(mode))
	}
	if len(r.degraded) > 0 {
		add(degradedHeader, strings.Join(r.degraded, ", "))
	}
	if r.answered {
		add(targetHeader, r.target().Name)
	}
	if len(r.attempts) > 1 || !r.answered {
		add(attemptsHeader, string(r.appendAttempts(nil)))
	}
	if reason := r.reason(); r.answered && reason != "" {
		add(reasonHeader, reason)
	}
}

// appendAttempts lists the targets that were tried, each with the class of its
// error: "a=overloaded, b".
func (r *request) appendAttempts(dst []byte) []byte {
	for i := range r.attempts {
		a := &r.attempts[i]
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, a.target.Name...)
		if a.err != nil {
			dst = append(append(dst, '='), a.err.Class.String()...)
		}
	}
	return dst
}

// reason is what decided for the target that answers: the attempts before it
// that failed, the client, a canary's share, that all others are shut out, the
// priority, or the first strategy that preferred it to the next one.
func (r *request) reason() string {
	p, t := &r.plan, r.target()
	switch {
	case len(r.attempts) > 1:
		return "failover"
	case len(r.obeyed) > 0:
		return "asked_for"
	case p.Canary == t.Name:
		return "canary"
	case len(p.Targets) < 2:
		return ""
	}
	mine, next := p.Of(t), p.Of(p.Targets[1])
	switch {
	case mine == nil || next == nil:
		return ""
	case next.Shut && !mine.Shut:
		return "health"
	case next.Target.Priority > t.Priority:
		return "priority"
	}
	for k, s := range r.model.Order {
		if mine.Score[k] != next.Score[k] {
			return s.String()
		}
	}
	return ""
}
