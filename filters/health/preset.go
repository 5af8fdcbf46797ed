package health

import (
	"time"

	"github.com/posterngw/postern/filters/shared"
)

// Preset writes how a target is into shared data, as if the VMs of a host had
// found it so: for tools that ask what would be decided then. Of the snapshot
// State, Until, Cause, FirstToken and PerToken count.
func Preset(d shared.Data, target string, s *Snapshot, now time.Time) bool {
	ms := millis(now)
	r := record{state: s.State, class: s.Cause, since: ms, until: max(ms, millis(s.Until))}
	if s.State == Closed {
		r.since, r.until = 0, 0
	}
	r.first = average{uint32(min(s.FirstToken.Microseconds(), 1<<31)), ms}
	r.each = average{uint32(min(s.PerToken.Microseconds(), 1<<31)), ms}
	return r.sound() && d.SetShared(prefix+target, appendRecord(nil, &r), 0)
}
