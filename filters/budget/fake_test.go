package budget

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/shared/sharedtest"
)

// counters decodes everything in shared data.
func counters(t require.TestingT, h *sharedtest.Host) map[Subject]counter {
	all := map[Subject]counter{}
	for key, v := range h.Values {
		cs, ok := readValue(nil, v.Bytes)
		require.True(t, ok, key)
		for _, c := range cs {
			require.NotContains(t, all, c.subject)
			all[c.subject] = c
		}
	}
	return all
}

var epoch = time.Date(2026, 2, 28, 23, 59, 50, 0, time.UTC)

var (
	alice = &identity.Principal{Team: "a", User: "alice"}
	bob   = &identity.Principal{Team: "b", User: "bob"}
)

// conf decodes a `budgets` section as a user writes it.
func conf(t require.TestingT, text string) *Config {
	n, errs := config.ParseJSON([]byte(`{"models": {"fast": "", "slow": ""}, "budgets": ` + text + `}`))
	require.NoError(t, errs.Err())
	var models map[string]string
	c := &Config{}
	fields := append(Fields(c), config.StringMap("models", &models, config.In("models")))
	require.NoError(t, config.Decode(n, fields).Err())
	return c
}

// machine is one host: VMs on one store.
type machine struct {
	t      require.TestingT
	c      *Config
	shared *sharedtest.Host
	now    time.Time
	vms    []*Budgets
	seeds  uint64
}

func newMachine(t require.TestingT, text string, vms int) *machine {
	m := &machine{t: t, c: conf(t, text), shared: sharedtest.New(), now: epoch}
	for range vms {
		m.vms = append(m.vms, m.vm())
	}
	return m
}

func (m *machine) vm() *Budgets {
	m.seeds++
	return New(m.c, NewLocal(m.shared, m.seeds*0x1234567))
}

func (m *machine) try(vm int, p *identity.Principal, tokens int64) (*Reservation, *llm.Error) {
	return m.vms[vm].Reserve(&Request{Principal: p, Model: "fast", Target: "t1", Tokens: tokens, Money: tokens, Now: m.now})
}

func (m *machine) reserve(vm int, p *identity.Principal, tokens int64) *Reservation {
	r, err := m.try(vm, p, tokens)
	require.Nil(m.t, err)
	return r
}

func (m *machine) refused(vm int, p *identity.Principal, tokens int64) *llm.Error {
	r, err := m.try(vm, p, tokens)
	require.NotNil(m.t, err)
	require.Nil(m.t, r)
	return err
}

// pass lets time go by with a tick of every VM each second.
func (m *machine) pass(d time.Duration) {
	for end := m.now.Add(d); m.now.Before(end); {
		m.now = m.now.Add(min(TickEvery, end.Sub(m.now)))
		for _, b := range m.vms {
			b.Tick(m.now)
		}
	}
}

func movement(t *testing.T, r *Reservation) Movement {
	ms := r.Movements(nil)
	require.Len(t, ms, 1)
	return ms[0]
}

func namedBudget(name string, b Budget) config.Named[Budget] {
	return config.Named[Budget]{Name: name, Value: b}
}
