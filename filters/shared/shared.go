// Package shared updates values that all VMs of a host see: the host's shared
// data, of which only reading with a version and writing against a version are
// there. Update makes an atomic step out of these two.
//
// It does not know what the values mean, and it cannot list or remove keys,
// because hosts cannot: whoever makes keys must bound their number.
package shared

import "bytes"

// Data is the host's shared data. The pipeline's VM implements it.
type Data interface {
	// Shared reads a value with its version; false when the key is absent.
	Shared(key string) (value []byte, version uint32, ok bool)
	// SetShared writes a value if the key's version is still the given one, or
	// if the key is absent and the version is not 0. Version 0 always writes.
	SetShared(key string, value []byte, version uint32) bool
}

// MaxTries bounds how often a lost race is run again.
const MaxTries = 16

const (
	// maxAbsent bounds how often a key may still be absent: a host that does not
	// take what is written has no shared data.
	maxAbsent = 2
	// creation is a version that no value has. proxy-wasm hosts write an absent
	// key whatever the version (seen in Envoy 1.40), so with this one of two VMs
	// that create a key at once loses, as it must; with 0 the second would
	// overwrite what the first one wrote.
	creation = ^uint32(0)
)

// Result is how an update ended.
type Result uint8

// The results.
const (
	// Done: the value is what change returned.
	Done Result = iota
	// Contended: other VMs were faster each time; nothing is written.
	Contended
	// Absent: the host takes nothing; nothing is written.
	Absent
)

// Update replaces a value by what change makes of it, in one atomic step:
// change runs again for each race that is lost, on what the winner wrote. It
// gets nil when the key is absent. What it returns is not written if it equals
// what it got, and is not kept. Update costs one read and at most one write,
// unless another VM writes the same key at the same time.
func Update(d Data, key string, change func(old []byte) []byte) Result {
	absent := 0
	for range MaxTries {
		old, version, ok := d.Shared(key)
		if !ok {
			version = creation
			absent++
		}
		if absent > maxAbsent {
			return Absent
		}
		value := change(old)
		if bytes.Equal(value, old) || d.SetShared(key, value, version) {
			return Done
		}
	}
	return Contended
}
