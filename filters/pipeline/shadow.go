package pipeline

import (
	"github.com/posterngw/postern/filters/audit"
	"github.com/posterngw/postern/filters/watch"
)

// shadow is what the policies would have decided about a request that is observed
// only; false where none of them could have.
func (sn *Snapshot) shadow(a *watch.Asked) (audit.Decision, bool) {
	m := sn.routes.Model(a.Model)
	if m == nil || !sn.judges {
		return audit.Decision{}, false
	}
	for _, t := range m.Targets {
		if t.Name != a.Target {
			continue
		}
		r := request{facts: *a.Facts, principal: a.Principal, snap: sn}
		d := sn.decide(&r, actionOf(a.Facts.Operation), m, t)
		return audit.Decision{Made: true, Shadow: true, Allowed: d.Allowed, Policies: d.Policies, Reason: d.Reason}, true
	}
	return audit.Decision{}, false
}
