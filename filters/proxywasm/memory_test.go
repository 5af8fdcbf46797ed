//go:build !wasip1

package proxywasm

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAllocate(t *testing.T) {
	var m mailbox
	require.NotNil(t, m.allocate(0), "hosts take null for a failure")
	require.NotZero(t, addressOf(m.allocate(0)))
	require.Nil(t, m.allocate(maxResult+1))
	require.Nil(t, m.allocate(0xffff_ffff))
	require.Len(t, m.allocate(5), 5)
}

func TestTheArenaIsReusedAndBounded(t *testing.T) {
	m := mailbox{transient: true}
	a, b := m.allocate(10), m.allocate(20)
	require.Equal(t, addressOf(a)+10, addressOf(b))
	big := m.allocate(firstArena)
	copy(a, "0123456789")
	copy(big, bytes.Repeat([]byte("x"), len(big)))
	require.Equal(t, "0123456789", string(a))

	m.recycle()
	require.Equal(t, addressOf(big), addressOf(m.allocate(10)))
	m.allocate(keepArena + 1)
	m.recycle()
	require.Nil(t, m.arena)
}

func TestTake(t *testing.T) {
	var m mailbox
	m.expect()
	b, ok := m.take()
	require.Empty(t, b)
	require.True(t, ok, "an empty result needs no memory")

	m.expect()
	m.size, m.addr = 6, addressOf(m.allocate(5))
	_, ok = m.take()
	require.False(t, ok, "larger than what was given")
	m.expect()
	m.addr, m.size = 1234, 1
	_, ok = m.take()
	require.False(t, ok, "never given")
}

func TestPairsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pairs := rapid.SliceOf(rapid.Custom(func(t *rapid.T) [2]string {
			return [2]string{rapid.String().Draw(t, "name"), rapid.String().Draw(t, "value")}
		})).Draw(t, "pairs")
		got, ok := decodePairs(appendPairs(nil, pairs))
		require.True(t, ok)
		require.Equal(t, len(pairs), len(got))
		for i := range pairs {
			require.Equal(t, pairs[i], got[i])
		}
	})
}

func TestPairsMalformed(t *testing.T) {
	whole := appendPairs(nil, [][2]string{{"name", "value"}, {"", ""}})
	_, ok := decodePairs(whole)
	require.True(t, ok)
	for n := 1; n < len(whole); n++ {
		_, ok := decodePairs(whole[:n:n])
		require.False(t, ok, n)
	}
	pairs, ok := decodePairs(nil)
	require.Empty(t, pairs)
	require.True(t, ok, "hosts have no memory for no headers")
	for _, n := range []uint32{1, 0x1fff_ffff, 0x8000_0000, 0xffff_ffff} {
		_, ok := decodePairs(binary.LittleEndian.AppendUint32(nil, n))
		require.False(t, ok)
		_, ok = decodePairs(append(binary.LittleEndian.AppendUint32(nil, n), make([]byte, 64)...))
		require.Equal(t, n == 1, ok)
	}
}

// naivePairs is decodePairs without a thought for speed.
func naivePairs(b []byte) (pairs [][2]string, ok bool) {
	defer func() {
		if recover() != nil {
			pairs, ok = nil, false
		}
	}()
	n := int(binary.LittleEndian.Uint32(b))
	rest := b[4+8*n:]
	for i := range n {
		var p [2]string
		for j := range p {
			size := binary.LittleEndian.Uint32(b[4+8*i+4*j:])
			p[j] = string(rest[:size])
			rest = rest[size+1:]
		}
		pairs = append(pairs, p)
	}
	return pairs, true
}

func FuzzDecodePairs(f *testing.F) {
	f.Add(appendPairs(nil, [][2]string{{":path", "/"}, {"a", ""}}))
	f.Add([]byte{255, 255, 255, 255, 0})
	f.Fuzz(func(t *testing.T, block []byte) {
		want, wantOK := naivePairs(block)
		got, ok := decodePairs(block)
		if len(block) == 0 {
			require.True(t, ok)
			return
		}
		require.Equal(t, wantOK, ok)
		require.Equal(t, len(want), len(got))
		for i := range want {
			require.Equal(t, want[i], got[i])
		}
	})
}

// The table behaves as a map of ids.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := table{buckets: make([]*stream, 2)}
		model := map[uint32]*stream{}
		ids := rapid.OneOf(rapid.Uint32Range(0, 40), rapid.Uint32())
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				if model[id] == nil {
					model[id] = &stream{id: id}
					table.add(model[id])
				}
			},
			"remove": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				table.remove(&stream{id: id}) // not a member
				if s := model[id]; s != nil {
					table.remove(s)
					delete(model, id)
				}
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(model), table.count)
				id := ids.Draw(t, "id")
				require.Same(t, model[id], table.find(id))
				for id, s := range model {
					require.Same(t, s, table.find(id))
				}
			},
		})
	})
}
