package budget

import (
	"testing"

	"github.com/posterngw/postern/filters/identity"
)

const twoBudgets = `{
	"tokens": {"unit": "tokens", "limit": 1000000000000, "window": "month", "per": ["team"]},
	"requests": {"unit": "requests", "limit": 1000000000000, "window": "day", "per": ["team", "user"]}}`

func BenchmarkReserveSettle(b *testing.B) {
	m := newMachine(b, twoBudgets, 1)
	q := &Request{Principal: alice, Model: "fast", Target: "t1", Tokens: 5000, Now: m.now}
	b.ReportAllocs()
	for b.Loop() {
		r, err := m.vms[0].Reserve(q)
		if err != nil {
			b.Fatal(err)
		}
		r.Settle("t1", Use{Tokens: 700}, q.Now)
	}
}

func BenchmarkRefused(b *testing.B) {
	m := newMachine(b, `{"b": {"unit": "tokens", "limit": 10, "window": "month"}}`, 1)
	m.reserve(0, alice, 10)
	q := &Request{Principal: alice, Tokens: 1, Now: m.now}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.vms[0].Reserve(q); err == nil {
			b.Fatal("not refused")
		}
	}
}

func BenchmarkExchange(b *testing.B) {
	m := newMachine(b, `{"b": {"unit": "requests", "limit": 1000000000000, "window": "month", "chunk": 1}}`, 1)
	q := &Request{Principal: alice, Tokens: 1, Now: m.now}
	b.ReportAllocs()
	for b.Loop() {
		r, err := m.vms[0].Reserve(q)
		if err != nil {
			b.Fatal(err)
		}
		r.Settle("", Use{Tokens: 1}, q.Now)
	}
}

func BenchmarkTick(b *testing.B) {
	m := newMachine(b, twoBudgets, 1)
	for i := range 500 {
		m.reserve(0, &identity.Principal{User: string(rune(0x2000 + i))}, 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range m.vms[0].ring {
			s.used, s.spent = true, 1
		}
		m.now = m.now.Add(TickEvery)
		m.vms[0].Tick(m.now)
	}
}
