package budget

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/shared"
	"github.com/posterngw/postern/filters/shared/sharedtest"
)

func TestReserveAndSettle(t *testing.T) {
	m := newMachine(t, `{"tok": {"unit": "tokens", "limit": 1000, "window": "day", "per": ["team"]}}`, 1)
	r := m.reserve(0, alice, 600)
	require.Equal(t, Movement{Budget: "tok", Unit: string(Tokens), Reserved: 600, Remaining: 400}, movement(t, r))
	err := m.refused(0, alice, 600)
	require.Equal(t, llm.QuotaExhausted, err.Class)
	require.Equal(t, 429, err.Status)
	require.Equal(t, "budget_exceeded", err.Code)
	require.Equal(t, "tok", err.Policy)
	require.Equal(t, 10*time.Second, err.After, "the day ends in ten seconds")
	require.Equal(t, "budget tok is used up: 1000 tokens per day, 400 left, 600 needed", err.Message)
	m.reserve(0, bob, 600)

	r.Settle("t1", Use{Tokens: 100}, m.now)
	require.Equal(t, Movement{Budget: "tok", Unit: string(Tokens), Reserved: 600, Settled: 100, Remaining: 900}, movement(t, r))
	r.Settle("t1", Use{Tokens: 500}, m.now)
	r.Cancel(m.now)
	require.EqualValues(t, 100, movement(t, r).Settled, "settled once")
	m.reserve(0, alice, 900).Cancel(m.now)
	m.refused(0, alice, 901)
	m.pass(10 * time.Second)
	m.reserve(0, alice, 1000)
}

func TestNeedBeyondTheLimit(t *testing.T) {
	m := newMachine(t, `{"tok": {"unit": "tokens", "limit": 10, "window": "minute"}}`, 1)
	err := m.refused(0, alice, 11)
	require.Zero(t, err.After, "waiting does not help")
	require.Equal(t, llm.RateLimited, err.Class)
	require.Equal(t, "this request needs 11 tokens, more than budget tok ever grants at once (10 tokens)", err.Message)
}

func TestAllOrNothing(t *testing.T) {
	m := newMachine(t, `{
		"req": {"unit": "requests", "limit": 100, "window": "hour"},
		"rate": {"unit": "requests", "limit": 100, "burst": 10, "window": "hour", "chunk": 1},
		"tok": {"unit": "tokens", "limit": 50, "window": "hour"}}`, 1)
	for range 200 {
		require.Equal(t, "tok", m.refused(0, alice, 51).Policy)
	}
	for range 10 {
		m.reserve(0, alice, 5)
	}
	m.refused(0, alice, 0)
}

func TestScope(t *testing.T) {
	text := `{"x": {"unit": "requests", "limit": 1, "window": "month", "per": ["user"],
		"principals": {"team": "a"}, "models": ["fast"], "targets": ["t1"]}}`
	tests := []struct {
		name   string
		q      Request
		counts bool
	}{
		{"all match", Request{Principal: alice, Model: "fast", Target: "t1"}, true},
		{"other team", Request{Principal: bob, Model: "fast", Target: "t1"}, false},
		{"other model", Request{Principal: alice, Model: "slow", Target: "t1"}, false},
		{"other target", Request{Principal: alice, Model: "fast", Target: "t2"}, false},
		{"other user", Request{Principal: &identity.Principal{Team: "a", User: "eve"}, Model: "fast", Target: "t1"}, true},
		{"no user", Request{Principal: &identity.Principal{Team: "a"}, Model: "fast", Target: "t1"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t, text, 1)
			tt.q.Now = m.now
			_, err := m.vms[0].Reserve(&tt.q)
			require.Nil(t, err)
			_, err = m.vms[0].Reserve(&tt.q)
			require.Equal(t, tt.counts, err != nil)
		})
	}
}

func TestFurtherTargets(t *testing.T) {
	m := newMachine(t, `{
		"one": {"unit": "requests", "limit": 1, "window": "day", "targets": ["t1"]},
		"two": {"unit": "requests", "limit": 1, "window": "day", "targets": ["t2"]},
		"any": {"unit": "tokens", "limit": 100, "window": "day"}}`, 1)
	r := m.reserve(0, alice, 60)
	q := &Request{Principal: alice, Model: "fast", Target: "t2", Tokens: 60, Now: m.now}
	require.Nil(t, m.vms[0].Extend(r, q))
	require.Len(t, r.Movements(nil), 3, "the budget of all targets is charged once")

	other, err := m.vms[0].Reserve(&Request{Principal: alice, Model: "fast", Target: "t3", Now: m.now})
	require.Nil(t, err)
	require.NotNil(t, m.vms[0].Extend(other, q), "t2 is taken")
	require.Len(t, other.Movements(nil), 1)
	other.Cancel(m.now)
	r.Settle("t2", Use{Tokens: 10}, m.now)
	var settled []int64
	for _, mv := range r.Movements(nil) {
		settled = append(settled, mv.Settled)
	}
	require.Equal(t, []int64{0, 10, 1}, settled)
	m.reserve(0, alice, 90)
	require.Equal(t, "one", m.refused(0, alice, 0).Policy)
}

func TestSoftNeverRefuses(t *testing.T) {
	for _, text := range []string{
		`{"s": {"unit": "tokens", "limit": 100, "window": "day", "mode": "soft"}}`,
		`{"s": {"unit": "requests", "limit": 1, "burst": 1, "window": "day", "mode": "soft"}}`,
	} {
		m := newMachine(t, text, 2)
		for i := range 20 {
			m.reserve(i%2, alice, 90).Settle("t1", Use{Tokens: 90}, m.now)
		}
		m.pass(3 * time.Second)
		r := m.reserve(0, alice, 90)
		require.True(t, movement(t, r).Over)
		m.shared.Down = true
		m.pass(2 * time.Second)
		m.reserve(1, bob, 1)
	}
}

func TestSoftCountsEverything(t *testing.T) {
	m := newMachine(t, `{"s": {"unit": "tokens", "limit": 100, "window": "day", "mode": "soft"}}`, 2)
	for i := range 20 {
		m.reserve(i%2, alice, 90).Settle("t1", Use{Tokens: 80}, m.now)
	}
	m.pass(3 * time.Second)
	for _, c := range counters(t, m.shared) {
		require.EqualValues(t, 1600, c.used)
		require.Empty(t, c.leases)
	}
}

func TestMoreThanReserved(t *testing.T) {
	m := newMachine(t, `{"tok": {"unit": "tokens", "limit": 100, "window": "day"}}`, 1)
	r := m.reserve(0, alice, 10)
	r.Settle("t1", Use{Tokens: 150}, m.now)
	require.True(t, movement(t, r).Over)
	require.EqualValues(t, 150, movement(t, r).Settled)
	m.pass(2 * time.Second)
	require.EqualValues(t, 0, m.refused(0, alice, 1).After%time.Second)
	for _, c := range counters(t, m.shared) {
		require.EqualValues(t, 150, c.used)
	}
}

func TestBucketRefills(t *testing.T) {
	m := newMachine(t, `{"rate": {"unit": "requests", "limit": 30, "window": "minute", "burst": 3}}`, 1)
	for range 3 {
		m.reserve(0, alice, 0)
	}
	err := m.refused(0, alice, 0)
	require.Equal(t, llm.RateLimited, err.Class)
	require.Equal(t, 2*time.Second, err.After)
	m.now = m.now.Add(err.After - time.Millisecond)
	require.Equal(t, time.Millisecond, m.refused(0, alice, 0).After)
	m.now = m.now.Add(time.Millisecond)
	m.reserve(0, alice, 0)
	m.refused(0, alice, 0)
	m.pass(time.Hour)
	for range 3 {
		m.reserve(0, alice, 0)
	}
	m.refused(0, alice, 0)
}

func TestBucketCancel(t *testing.T) {
	m := newMachine(t, `{"rate": {"unit": "requests", "limit": 1000, "window": "second", "burst": 1000, "chunk": 100}}`, 1)
	m.reserve(0, alice, 0)
	for range 5000 {
		m.reserve(0, alice, 0).Cancel(m.now)
	}
	m.reserve(0, alice, 0).Settle("t1", Use{Tokens: 5}, m.now)
}

func TestStoreFailure(t *testing.T) {
	const open = `{"b": {"unit": "tokens", "limit": 100, "window": "day", "on_store_failure": "open"}}`
	const closed = `{"b": {"unit": "tokens", "limit": 100, "window": "day"}}`
	m := newMachine(t, closed, 1)
	m.shared.Down = true
	err := m.refused(0, alice, 1)
	require.Equal(t, "budget_unavailable", err.Code)
	require.Equal(t, 503, err.Status)
	require.LessOrEqual(t, m.shared.Writes, 3, "a host without shared data is not asked over and over")
	m.shared.Down = false
	m.reserve(0, alice, 1)

	m = newMachine(t, open, 1)
	m.shared.Down = true
	r := m.reserve(0, alice, 70)
	require.True(t, movement(t, r).Unmetered)
	m.reserve(0, alice, 50).Settle("t1", Use{Tokens: 20}, m.now)
	r.Settle("t1", Use{Tokens: 70}, m.now)
	m.shared.Down = false
	m.pass(2 * time.Second)
	m.reserve(0, alice, 10)
	require.Equal(t, "budget_exceeded", m.refused(0, alice, 1).Code, "what passed is counted when the store is back")
}

func TestLostRaces(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 100, "window": "day"}}`, 1)
	m.shared.Values["postern.budget.1.b.0"] = sharedtest.Value{Version: 1}
	m.shared.Lose = shared.MaxTries - 1
	m.reserve(0, alice, 50)
	m.shared.Lose = shared.MaxTries
	require.Equal(t, 503, m.refused(0, alice, 50).Status)
	m.reserve(0, alice, 50)
	m.refused(0, alice, 1)
}

func TestTwoVMsCreateOneKey(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 100, "window": "day"}}`, 2)
	m.shared.OnWrite = func() {
		m.shared.OnWrite = nil
		m.reserve(1, alice, 60)
	}
	m.refused(0, alice, 60)
}

func TestCrash(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 1000, "window": "month", "lease_ttl": "20s"}}`, 2)
	m.now = epoch.Add(time.Minute)
	m.reserve(0, alice, 900)
	m.vms[0] = m.vm()
	m.pass(19 * time.Second)
	m.refused(1, alice, 900)
	m.pass(time.Second)
	m.reserve(1, alice, 1000)
}

func TestLongStreamKeepsItsLease(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 1000, "window": "month", "lease_ttl": "5s"}}`, 2)
	m.now = epoch.Add(time.Minute)
	r := m.reserve(0, alice, 900)
	m.pass(10 * time.Minute)
	m.refused(1, alice, 101)
	r.Settle("t1", Use{Tokens: 1}, m.now)
	m.pass(2 * time.Second)
	m.reserve(1, alice, 999)
}

func TestIdleVMReturnsItsChunk(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 1000, "window": "month", "chunk": 500}}`, 2)
	m.now = epoch.Add(time.Minute)
	m.reserve(0, alice, 1).Settle("t1", Use{Tokens: 1}, m.now)
	m.refused(1, alice, 999)
	m.pass(2 * time.Second)
	m.reserve(1, alice, 999)
	require.Empty(t, m.vms[0].ring, "an idle subject is forgotten")
}

func TestManyStreamsDoNotHoard(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 100000, "window": "month"}}`, 2)
	m.now = epoch.Add(time.Minute)
	var rs []*Reservation
	for range 90 {
		rs = append(rs, m.reserve(0, alice, 1000))
	}
	for _, r := range rs {
		r.Settle("t1", Use{Tokens: 10}, m.now)
	}
	m.reserve(0, alice, 1000)
	m.pass(time.Second)
	m.reserve(1, alice, 90000)
}

func TestChunkSparesTheStore(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "requests", "limit": 64000, "window": "day"}}`, 1)
	for range 900 {
		m.reserve(0, alice, 0).Settle("t1", Use{Tokens: 5}, m.now)
	}
	require.Equal(t, 1, m.shared.Writes)
}

func TestClose(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 1000, "window": "month", "chunk": 500, "lease_ttl": "5s"}}`, 1)
	m.now = epoch.Add(time.Minute)
	old := m.vms[0]
	r := m.reserve(0, alice, 100)
	m.vms[0] = m.vm()
	old.Close(m.now)
	for range 30 {
		m.now = m.now.Add(time.Second)
		require.True(t, old.Tick(m.now))
	}
	m.reserve(0, alice, 900)
	m.refused(0, alice, 1)
	r.Settle("t1", Use{Tokens: 99}, m.now)
	m.reserve(0, alice, 1)
	require.False(t, old.Tick(m.now))
}

func TestClockThatWasWrong(t *testing.T) {
	for _, text := range []string{
		`{"b": {"unit": "tokens", "limit": 100, "window": "hour"}}`,
		`{"b": {"unit": "requests", "limit": 1, "burst": 1, "window": "hour"}}`,
	} {
		m := newMachine(t, text, 2)
		m.now = epoch.AddDate(40, 0, 0)
		m.reserve(0, alice, 100)
		m.refused(1, alice, 100)
		m.now = epoch
		m.reserve(1, alice, 100)
		m.refused(1, alice, 100)
		m.refused(0, bob, 100)
	}
}

func TestWindowAhead(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 100, "window": "minute"}}`, 2)
	early := m.now
	old := m.reserve(1, alice, 10)
	m.now = m.now.Add(11 * time.Second)
	m.reserve(0, alice, 60)
	m.now = early
	m.reserve(1, alice, 40)
	m.refused(1, alice, 1)
	old.Settle("t1", Use{Tokens: 10}, m.now)
	m.refused(1, alice, 1)
}

func TestChangedDefinition(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 100, "window": "hour"}}`, 1)
	m.reserve(0, alice, 100)
	m.c = conf(t, `{"b": {"unit": "tokens", "limit": 150, "window": "hour"}}`)
	m.vms[0] = m.vm()
	m.reserve(0, alice, 50)
	m.refused(0, alice, 50)
	m.c = conf(t, `{"b": {"unit": "tokens", "limit": 100, "window": "day"}}`)
	m.vms[0] = m.vm()
	m.reserve(0, alice, 100)
}
