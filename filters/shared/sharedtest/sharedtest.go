// Package sharedtest is shared data for tests, as proxy-wasm-cpp-host keeps it,
// with faults to inject. It is no part of the module.
package sharedtest

import (
	"slices"
	"sync"
)

// Host is the shared data of one host. It is safe for concurrent use by VMs;
// the exported fields are for when none runs.
type Host struct {
	Values  map[string]Value
	Down    bool        // neither reads nor writes work
	Lose    int         // writes that lose a race, as only those of a key that is there with a version can
	LoseIf  func() bool // asked for each such write, if set: true loses
	OnWrite func()      // runs before a write, if set
	Reads   int
	Writes  int

	mu   sync.Mutex
	next uint32
}

// Value is a value with its version.
type Value struct {
	Bytes   []byte
	Version uint32
}

// New returns empty shared data.
func New() *Host { return &Host{Values: map[string]Value{}, next: 1} }

// Shared is shared.Data.
func (h *Host) Shared(key string) ([]byte, uint32, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Reads++
	v, ok := h.Values[key]
	if h.Down || !ok {
		return nil, 0, false
	}
	return slices.Clone(v.Bytes), v.Version, true
}

// SetShared is shared.Data.
func (h *Host) SetShared(key string, b []byte, version uint32) bool {
	if h.OnWrite != nil {
		h.OnWrite()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Writes++
	v, ok := h.Values[key]
	checked := ok && version != 0
	if h.Down || checked && (h.lost() || version != v.Version) {
		return false
	}
	h.Values[key] = Value{slices.Clone(b), h.next}
	h.next++
	return true
}

// Calls is how many calls there were so far.
func (h *Host) Calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.Reads + h.Writes
}

// Put gives a key a value, as another VM would.
func (h *Host) Put(key string, b []byte) { h.SetShared(key, b, 0) }

func (h *Host) lost() bool {
	if h.Lose > 0 {
		h.Lose--
		return true
	}
	return h.LoseIf != nil && h.LoseIf()
}
