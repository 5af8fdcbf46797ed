package budget

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/shared/sharedtest"
)

func TestLeaseThatRanOut(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 100, "window": "month", "lease_ttl": "5s", "chunk": 1000}}`, 2)
	m.now = epoch.Add(time.Minute)
	first, second := m.reserve(0, alice, 10), m.reserve(0, alice, 10)
	require.EqualValues(t, 90/8-10, m.vms[0].ring[0].free, "an eighth of what was left, less the need")

	m.now = m.now.Add(10 * time.Second) // the first VM is stuck
	m.reserve(1, alice, 95).Settle("t1", Use{Tokens: 95}, m.now)
	m.refused(0, alice, 1)
	require.EqualValues(t, 15, m.vms[0].ring[0].lack, "the lease covers 5 of the 20 that are reserved")
	first.Settle("t1", Use{Tokens: 0}, m.now)
	require.EqualValues(t, 5, m.vms[0].ring[0].lack)
	m.refused(0, alice, 1)
	second.Settle("t1", Use{Tokens: 2}, m.now)
	m.reserve(0, alice, 3)
	m.refused(0, alice, 1)
	m.refused(1, alice, 1)
}

func TestUnusedLeaseThatRanOut(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "requests", "limit": 100, "window": "month", "lease_ttl": "5s", "chunk": 1000}}`, 2)
	m.now = epoch.Add(time.Minute)
	m.reserve(0, alice, 0)
	require.Positive(t, m.vms[0].ring[0].free)
	m.now = m.now.Add(5 * time.Second)
	for range 100 {
		m.reserve(1, alice, 0)
	}
	m.refused(0, alice, 0)
}

func TestLoweredBurst(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "requests", "limit": 1, "window": "day", "burst": 1000, "chunk": 500}}`, 1)
	m.reserve(0, alice, 0)
	old := m.vms[0]
	m.c = conf(t, `{"b": {"unit": "requests", "limit": 1, "window": "day", "burst": 10, "chunk": 1}}`)
	old.rules[0].meter.Burst = 10
	old.Close(m.now)
	m.vms[0] = m.vm()
	for range 10 {
		m.reserve(0, alice, 0)
	}
	m.refused(0, alice, 0)
}

func TestFailureKeepsWhatIsFree(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 1000, "window": "month", "chunk": 50}}`, 1)
	m.reserve(0, alice, 1)
	m.shared.Down = true
	require.Equal(t, 503, m.refused(0, alice, 100).Status)
	m.reserve(0, alice, 49)
	require.Equal(t, 503, m.refused(0, alice, 1).Status)
}

func TestMoreVMsThanLeases(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 1000000, "window": "month", "chunk": 1}}`, maxLeases+1)
	for i := range maxLeases {
		m.reserve(i, alice, 1)
	}
	m.refused(maxLeases, alice, 1)
	m.reserve(0, alice, 100)
}

// slow answers each exchange only after it was delivered, as a store behind a
// network does.
type slow struct {
	inner Store
	in    map[Subject]*trip
}

type trip struct {
	ask    Ask
	ready  []func()
	grant  Grant
	answer Answer
	done   bool
}

func (s *slow) Exchange(a *Ask) (Grant, Answer) {
	t := s.in[a.Subject]
	if t == nil {
		t = &trip{ask: *a}
		s.in[a.Subject] = t
	}
	if t.done {
		delete(s.in, a.Subject)
		return t.grant, t.answer
	}
	if a.Ready != nil {
		t.ready = append(t.ready, a.Ready)
	}
	return Grant{}, Pending
}

// deliver lets all answers arrive.
func (s *slow) deliver() {
	for _, t := range s.in {
		if !t.done {
			t.grant, t.answer = s.inner.Exchange(&t.ask)
			t.done = true
			for _, f := range t.ready {
				f()
			}
		}
	}
}

func TestStoreThatAnswersLater(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 100, "window": "month", "chunk": 50}}`, 0)
	m.now = epoch.Add(time.Minute)
	far := &slow{inner: NewLocal(m.shared, 1), in: map[Subject]*trip{}}
	m.vms = []*Budgets{New(m.c, far)}
	ready := 0
	q := &Request{Principal: alice, Tokens: 60, Now: m.now, Ready: func() { ready++ }}
	_, err := m.vms[0].Reserve(q)
	require.Same(t, Wait, err)
	far.deliver()
	require.Equal(t, 1, ready)
	r, err := m.vms[0].Reserve(q)
	require.Nil(t, err)

	r.Settle("", Use{Tokens: 30}, m.now)
	m.pass(time.Second) // asks to report 30
	more := m.reserve(0, alice, 10)
	more.Settle("", Use{Tokens: 10}, m.now)
	far.deliver()
	m.pass(time.Second) // hears that 30 are counted
	require.EqualValues(t, 10, m.vms[0].ring[0].spent)
	for range 5 {
		m.pass(time.Second)
		far.deliver()
	}
	for _, c := range counters(t, m.shared) {
		require.EqualValues(t, 40, c.used)
		require.Empty(t, c.leases)
	}
	require.Empty(t, m.vms[0].ring)
}

func TestSoftDoesNotWait(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "tokens", "limit": 100, "window": "month", "mode": "soft"}}`, 0)
	far := &slow{inner: NewLocal(m.shared, 1), in: map[Subject]*trip{}}
	m.vms = []*Budgets{New(m.c, far)}
	require.True(t, movement(t, m.reserve(0, alice, 5)).Unmetered)
}

func TestManySubjects(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "requests", "limit": 1, "window": "day", "per": ["user"], "max_subjects": 64}}`, 1)
	m.vms[0].limit = 10
	full := 0
	for i := range 1000 {
		r, err := m.try(0, &identity.Principal{User: string(rune('Ā' + i))}, 0)
		if err != nil {
			require.Equal(t, "budget_unavailable", err.Code)
			full++
			continue
		}
		r.Settle("t1", Use{Tokens: 0}, m.now)
	}
	require.Len(t, m.shared.Values, 16, "a quarter of max_subjects")
	require.Equal(t, 1000-16*maxCounters, full)
	require.LessOrEqual(t, len(m.vms[0].ring), 10)

	m.pass(time.Minute)
	for i := range 64 {
		m.reserve(0, &identity.Principal{User: string(rune(0x2000 + i))}, 0).Settle("t1", Use{Tokens: 0}, m.now)
	}
	require.Len(t, m.shared.Values, 16, "subjects of the next day take the place of those of the day before")
}

func TestNoRoomForASubject(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "requests", "limit": 10, "window": "day", "per": ["user"], "on_store_failure": "open"}}`, 1)
	m.vms[0].limit = 1
	m.reserve(0, alice, 0)
	r := m.reserve(0, bob, 0)
	require.True(t, movement(t, r).Unmetered)
	r.Settle("t1", Use{Tokens: 0}, m.now)
}

func TestSubjectsAreNotConfused(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "requests", "limit": 1, "window": "day", "per": ["team", "user"]}}`, 1)
	m.reserve(0, &identity.Principal{Team: "ab", User: "c"}, 0)
	m.reserve(0, &identity.Principal{Team: "a", User: "bc"}, 0)
	m.refused(0, &identity.Principal{Team: "ab", User: "c", Application: "x"}, 0)
}

// Two formats have two sets of keys, and what one of them wrote stays as it is.
func TestKeysHaveTheFormat(t *testing.T) {
	require.Equal(t, "postern.budget."+strconv.Itoa(valueVersion)+".", keyPrefix)
	m := newMachine(t, `{"b": {"unit": "requests", "limit": 1, "window": "day"}}`, 1)
	m.shared.SetShared("postern.budget.0.b.0", []byte("\x00another"), 0)
	m.reserve(0, alice, 0)
	other, _, _ := m.shared.Shared("postern.budget.0.b.0")
	require.Equal(t, "\x00another", string(other))
}

func TestUnreadableValue(t *testing.T) {
	m := newMachine(t, `{"b": {"unit": "requests", "limit": 1, "window": "day"}}`, 1)
	m.shared.SetShared("postern.budget.1.b.0", []byte("\x01garbage"), 0)
	m.reserve(0, alice, 0)
	m.refused(0, alice, 0)
}

// TestEightVMs lets eight VMs of one host run at once: no more may pass than the
// limit, and with a VM that keeps asking all of it must pass.
func TestEightVMs(t *testing.T) {
	m := newMachine(t, `{
		"req": {"unit": "requests", "limit": 5000, "window": "month", "per": ["team"]},
		"tok": {"unit": "tokens", "limit": 40000, "window": "month"}}`, 8)
	m.now = epoch.Add(time.Minute)
	var wg sync.WaitGroup
	var passed, used [8]int64
	for i := range 8 {
		wg.Go(func() { passed[i], used[i] = work(m, i) })
	}
	wg.Wait()
	m.pass(3 * time.Second)
	var n, tokens int64
	for i := range 8 {
		n, tokens = n+passed[i], tokens+used[i]
	}
	require.LessOrEqual(t, tokens, int64(40000))
	for n < 5000 {
		m.reserve(0, alice, 1).Settle("t1", Use{Tokens: 1}, m.now)
		n, tokens = n+1, tokens+1
	}
	require.Equal(t, "req", m.refused(0, alice, 1).Policy)
	m.pass(2 * time.Second)
	counted := []int64{}
	for _, c := range counters(t, m.shared) {
		counted = append(counted, c.used)
	}
	require.ElementsMatch(t, []int64{5000, tokens}, counted)
}

// work makes 700 requests in one VM and returns how many passed and what they used.
func work(m *machine, vm int) (passed, used int64) {
	now := m.now
	for i := range int64(700) {
		r, err := m.vms[vm].Reserve(&Request{Principal: alice, Tokens: 20, Target: "t1", Now: now})
		if err != nil {
			if err.Class != llm.QuotaExhausted && err.Code != "budget_unavailable" {
				return -1, 0
			}
			continue
		}
		r.Settle("t1", Use{Tokens: i % 8}, now)
		passed, used = passed+1, used+i%8
		if now = now.Add(10 * time.Millisecond); i%100 == 0 {
			m.vms[vm].Tick(now)
		}
	}
	return passed, used
}

func FuzzValue(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1})
	f.Add(appendValue(nil, []counter{{tag: 3, window: 5, used: 7, leases: []lease{{1, 2, 3}, {4, 5, 6}}}, {used: most}}))
	meters := []Meter{{Unit: Tokens, Window: Day, Limit: 1000, Chunk: 10, TTL: time.Minute},
		{Unit: Requests, Window: Day, Limit: 1000, Burst: 50, Chunk: 10, TTL: time.Minute}}
	f.Fuzz(func(t *testing.T, b []byte) {
		cs, ok := readValue(nil, b)
		if ok {
			again, ok := readValue(nil, appendValue(nil, cs))
			require.True(t, ok)
			require.Equal(t, len(cs), len(again))
		}
		s := sharedtest.New()
		for i := range meters {
			m := &meters[i]
			s.Values[slotKey(m, &Subject{})] = sharedtest.Value{Bytes: b, Version: 1}
			a := &Ask{Meter: m, Now: 86_400_000 * 20000, Spent: 1, Keep: 2, Need: 3}
			if !m.bucket() {
				a.Window = a.Now
			}
			g, answer := NewLocal(s, 1).Exchange(a)
			require.GreaterOrEqual(t, min(g.Left, g.Kept, g.Ahead, g.After), int64(0))
			require.LessOrEqual(t, g.Kept+g.Ahead, m.full())
			require.NotEqual(t, Pending, answer)
			_, ok := readValue(nil, s.Values[slotKey(m, &Subject{})].Bytes)
			require.True(t, ok || answer != Granted)
		}
	})
}
