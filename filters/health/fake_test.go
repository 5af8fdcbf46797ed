package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/shared/sharedtest"
)

var epoch = time.Date(2026, 2, 28, 23, 59, 50, 0, time.UTC)

// conf decodes a `health` section as a user writes it.
func conf(t require.TestingT, text string) *Config {
	n, errs := config.ParseJSON([]byte(`{"providers": {"p": "", "q": ""}, "health": ` + text + `}`))
	require.NoError(t, errs.Err())
	c, err := decode(n)
	require.NoError(t, err)
	return c
}

func decode(n *config.Node) (*Config, error) {
	var providers map[string]string
	c := &Config{}
	return c, config.Decode(n, []config.Field{config.Object("health", c, Fields),
		config.StringMap("providers", &providers, config.In("providers"))}).Err()
}

var targets = []Target{{"a", "p"}, {"b", "q"}, {"a", "p"}}

// machine is one host: VMs on one store, all of which look at target 0.
type machine struct {
	t      require.TestingT
	shared *sharedtest.Host
	now    time.Time
	vms    []*Health
}

func newMachine(t require.TestingT, text string, vms int) *machine {
	m := &machine{t: t, shared: sharedtest.New(), now: epoch}
	for range vms {
		m.vms = append(m.vms, New(conf(t, text), targets, m.shared))
	}
	return m
}

// pass lets time go by with a tick of every VM each second.
func (m *machine) pass(d time.Duration) {
	for end := m.now.Add(d); m.now.Before(end); {
		m.now = m.now.Add(min(FlushEvery, end.Sub(m.now)))
		for _, h := range m.vms {
			h.Tick(m.now)
		}
	}
}

// try runs an attempt that ends at once; false when it was refused.
func (m *machine) try(vm int, o Outcome) bool {
	p, v := m.vms[vm].Admit(0, true, 0, m.now)
	if v <= Spare {
		return false
	}
	m.vms[vm].Begin(&p)
	m.vms[vm].End(&p, &o, m.now)
	return true
}

// fails has n attempts fail.
func (m *machine) fails(vm, n int) {
	for range n {
		require.True(m.t, m.try(vm, failure))
	}
}

func (m *machine) look(vm int) Snapshot { return m.vms[vm].Look(0, m.now) }

var (
	success = Outcome{FirstToken: 200 * time.Millisecond, PerToken: 20 * time.Millisecond, Took: time.Second}
	failure = Outcome{Class: llm.ProviderError}
)

func tooFast(after time.Duration) Outcome { return Outcome{Class: llm.RateLimited, After: after} }

func state(t *testing.T, want State, m *machine) {
	t.Helper()
	require.Equal(t, want.String(), m.look(0).State.String())
}
