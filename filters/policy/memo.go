package policy

import (
	"hash/maphash"
	"math/bits"

	"github.com/cedar-policy/cedar-go"

	"github.com/posterngw/postern/filters/identity"
)

// key is everything that a decision can depend on within one configuration.
type key struct {
	principal identity.Principal
	action    string
	target    targetKey
	context   contextKey
}

// targetKey is everything that a target's entities are made of.
type targetKey struct{ name, model, provider, boundary, region string }

// contextKey is everything that a context is made of, as far as policies can
// tell: two numbers of tokens in one bucket are one.
type contextKey struct {
	environment string
	stream      bool
	tokens      int64 // see tokenReads.bucket
}

// hash mixes the parts that tell decisions apart in practice: an API key's id
// stands for its principal, the names of a target and its model for the rest.
// Equal keys have equal hashes; which keys share one is not trusted.
func (k *key) hash(seed maphash.Seed) uint64 {
	h := uint64(k.context.tokens) << 1
	if k.context.stream {
		h++
	}
	if k.principal.Key != "" {
		h = mix(h, maphash.String(seed, k.principal.Key))
	} else {
		h = mix(h, maphash.String(seed, k.principal.User))
		h = mix(h, maphash.String(seed, k.principal.Application))
	}
	h = mix(h, maphash.String(seed, k.target.name))
	return mix(h, maphash.String(seed, k.target.model))
}

func mix(h, x uint64) uint64 { return bits.RotateLeft64(h*0x9e3779b97f4a7c15, 32) ^ x }

// memo remembers decisions by the hash of their key. A key that meets another
// one's hash takes its place.
type memo struct {
	seed  maphash.Seed
	table table[uint64, *remembered]
}

type remembered struct {
	key      key
	decision Decision
}

// memory is all that a Set remembers.
type memory struct {
	decisions  memo
	principals table[identity.Principal, cedar.Entity]
	resources  table[targetKey, resource]
	contexts   table[contextKey, cedar.Record]
}

func newMemory() memory {
	return memory{
		decisions:  newMemo(),
		principals: table[identity.Principal, cedar.Entity]{max: maxEntities},
		resources:  table[targetKey, resource]{max: maxEntities},
		contexts:   table[contextKey, cedar.Record]{max: maxEntities},
	}
}

func newMemo() memo { return memo{maphash.MakeSeed(), table[uint64, *remembered]{max: maxDecisions}} }

func (m *memo) get(k *key, decide func() Decision) Decision {
	h := k.hash(m.seed)
	if r, ok := m.table.find(h); ok && r.key == *k {
		return r.decision
	}
	r := &remembered{*k, decide()}
	m.table.put(h, r)
	return r.decision
}

// How much one generation of a table holds; a table has two. All tables of a
// set that are full of principals by claims take about 1 MiB.
const (
	maxDecisions = 1024
	maxEntities  = 128
)

// table remembers values in two generations: when the young one is full it
// becomes the old one, and what is asked for again moves back. So what is used
// stays, and no more than twice max are held.
type table[K comparable, V any] struct {
	max        int
	young, old map[K]V
}

func (t *table[K, V]) find(k K) (V, bool) {
	v, ok := t.young[k]
	if ok {
		return v, true
	}
	if v, ok = t.old[k]; ok {
		t.put(k, v)
	}
	return v, ok
}

func (t *table[K, V]) put(k K, v V) {
	if len(t.young) >= t.max || t.young == nil {
		t.old, t.young = t.young, make(map[K]V)
	}
	t.young[k] = v
}

// get returns the value of a key, made by build if it is not remembered.
func (t *table[K, V]) get(k K, build func() V) V {
	v, ok := t.find(k)
	if !ok {
		v = build()
		t.put(k, v)
	}
	return v
}
