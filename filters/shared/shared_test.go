package shared_test

import (
	"encoding/binary"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/shared"
	"github.com/posterngw/postern/filters/shared/sharedtest"
)

// increment counts in a value; an absent one is 0.
func increment(old []byte) []byte {
	n := uint64(0)
	if len(old) == 8 {
		n = binary.BigEndian.Uint64(old)
	}
	return binary.BigEndian.AppendUint64(nil, n+1)
}

func count(h *sharedtest.Host) uint64 {
	return binary.BigEndian.Uint64(h.Values["n"].Bytes)
}

func TestUpdate(t *testing.T) {
	h := sharedtest.New()
	require.Equal(t, shared.Done, shared.Update(h, "n", increment))
	require.Equal(t, shared.Done, shared.Update(h, "n", increment))
	require.EqualValues(t, 2, count(h))

	h.Lose = shared.MaxTries - 1
	require.Equal(t, shared.Done, shared.Update(h, "n", increment))
	h.Lose = shared.MaxTries
	require.Equal(t, shared.Contended, shared.Update(h, "n", increment))
	require.EqualValues(t, 3, count(h))
}

func TestUpdateWritesOnlyChanges(t *testing.T) {
	h := sharedtest.New()
	h.Put("n", []byte("x"))
	before := h.Writes
	require.Equal(t, shared.Done, shared.Update(h, "n", func(old []byte) []byte { return old }))
	require.Equal(t, shared.Done, shared.Update(h, "none", func(old []byte) []byte { return old }))
	require.Equal(t, before, h.Writes)
}

func TestUpdateWithoutSharedData(t *testing.T) {
	h := sharedtest.New()
	h.Down = true
	require.Equal(t, shared.Absent, shared.Update(h, "n", increment))
	require.LessOrEqual(t, h.Writes, 3, "a host without shared data is not asked over and over")
}

// TestCreationRace lets another VM create the key between read and write.
func TestCreationRace(t *testing.T) {
	h := sharedtest.New()
	h.OnWrite = func() {
		h.OnWrite = nil
		h.Put("n", increment(nil))
	}
	require.Equal(t, shared.Done, shared.Update(h, "n", increment))
	require.EqualValues(t, 2, count(h), "what the other wrote is not overwritten")
}

func TestConcurrentUpdates(t *testing.T) {
	h := sharedtest.New()
	done := make(chan uint64)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			n := uint64(0)
			for range 500 {
				if shared.Update(h, "n", increment) == shared.Done {
					n++
				}
			}
			done <- n
		})
	}
	sum := uint64(0)
	for range 8 {
		sum += <-done
	}
	group.Wait()
	require.Equal(t, sum, count(h), "every update that is done counts once")
}
