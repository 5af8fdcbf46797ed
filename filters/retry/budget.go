package retry

import (
	"time"

	"github.com/posterngw/postern/filters/sliding"
)

// Budgets are the retry budgets of all models, as one VM sees them. Models are
// spoken of by their index.
type Budgets struct{ models []budget }

type budget struct {
	floor  float64 // of a window
	share  float64
	length int64          // of the window, ms
	seen   sliding.Window // requests and retries
}

// New returns the budgets of the models of a configuration.
func New(c *Config, models []string) *Budgets {
	b := &Budgets{models: make([]budget, len(models))}
	for i, name := range models {
		l := c.limits(name)
		b.models[i] = budget{floor: l.MinPerSecond * l.Window.Seconds(), share: l.Share, length: l.Window.Milliseconds()}
	}
	return b
}

// Request notes a request, of which the share is taken. Retries are none.
func (b *Budgets) Request(model int, now time.Time) {
	m := &b.models[model]
	m.seen.Add(now.UnixMilli(), m.length, 1, 0)
}

// Left is how many retries the budget has left.
func (b *Budgets) Left(model int, now time.Time) int {
	m := &b.models[model]
	p := m.seen.Sum(now.UnixMilli(), m.length)
	return int(max(0, m.floor+m.share*float64(p.A)-float64(p.B)))
}

// Allow takes a retry out of the budget; false when there is none.
func (b *Budgets) Allow(model int, now time.Time) bool {
	if b.Left(model, now) < 1 {
		return false
	}
	b.Spend(model, now)
	return true
}

// Spend notes a retry that was made without asking.
func (b *Budgets) Spend(model int, now time.Time) {
	m := &b.models[model]
	m.seen.Add(now.UnixMilli(), m.length, 0, 1)
}
