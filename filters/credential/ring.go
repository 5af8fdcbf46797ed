package credential

import (
	"strings"
	"time"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/percent"
)

// maxRest bounds how long a refused key rests, whatever a provider asks for.
const maxRest = time.Hour

// ring is several keys of one provider that are used in turn.
type ring struct {
	slots []slot
	next  int
	carry carrier
	pause time.Duration // how long a refused key rests
}

// slot is one key: a fixed one, or one that is renewed.
type slot struct {
	key    Secret
	tokens *tokens
	rests  time.Time // until when; zero: it does not
}

// at is the slot's key; false when it has none now.
func (s *slot) at(now time.Time) (Secret, bool) {
	if s.tokens == nil {
		return s.key, true
	}
	return s.tokens.held.secret, s.tokens.valid(now)
}

// pick chooses the next key that does not rest. When all rest it is the one
// that has done so for longest, since a provider's answer is better than none;
// -1 when there is no key at all.
func (r *ring) pick(now time.Time) int {
	best := -1
	for i := range r.slots {
		at := (r.next + i) % len(r.slots)
		s := &r.slots[at]
		if _, ok := s.at(now); !ok {
			continue
		}
		if !now.Before(s.rests) {
			return at
		}
		if best < 0 || s.rests.Before(r.slots[best].rests) {
			best = at
		}
	}
	return best
}

func (r *ring) ready(now time.Time) bool { return r.pick(now) >= 0 }

func (r *ring) check(now time.Time) *llm.Error {
	if r.ready(now) {
		return nil
	}
	return r.slots[0].tokens.missing(now)
}

func (r *ring) headers(dst [][2]string, a *Attempt) ([][2]string, *llm.Error) {
	i := r.pick(a.Now)
	if i < 0 {
		return dst, r.slots[0].tokens.missing(a.Now)
	}
	key, _ := r.slots[i].at(a.Now)
	a.Slot, r.next = i, (i+1)%len(r.slots)
	return r.carry.put(dst, a, key.Reveal()), nil
}

func (r *ring) refused(i int, e *llm.Error, now time.Time) {
	switch e.Class {
	case llm.AuthError, llm.RateLimited, llm.QuotaExhausted:
	default:
		return
	}
	s := &r.slots[i]
	if s.tokens != nil && e.Class == llm.AuthError {
		s.tokens.doubt(now)
	}
	s.rests = now.Add(min(max(r.pause, e.After), maxRest))
}

// carrier is how a key travels; the zero one leaves that to the dialect.
type carrier KeyConfig

// put appends the header that carries the key, or the path.
func (c *carrier) put(dst [][2]string, a *Attempt, key string) [][2]string {
	switch {
	case c.Query != "":
		sep := "?"
		if strings.Contains(a.Path, "?") {
			sep = "&"
		}
		path := append(percent.Append([]byte(a.Path+sep), c.Query), '=')
		return append(dst, [2]string{":path", string(percent.Append(path, key))})
	case c.Header != "":
		return append(dst, [2]string{c.Header, c.Prefix + key})
	}
	name, value := a.Key(key)
	return append(dst, [2]string{name, value})
}
