package sliding

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type event struct {
	at   int64
	a, b uint32
}

// TestAgainstEvents holds the window against a list of all events.
func TestAgainstEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := Buckets * rapid.Int64Range(1, 1000).Draw(t, "bucket")
		now := rapid.Int64Range(0, 1<<40).Draw(t, "start")
		var w Window
		var events []event
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now += rapid.Int64Range(0, length/2).Draw(t, "pass")
			e := event{now, rapid.Uint32Range(0, 9).Draw(t, "a"), rapid.Uint32Range(0, 9).Draw(t, "b")}
			events = append(events, e)
			w.Add(e.at, length, e.a, e.b)
			require.Equal(t, sum(events, now, length), w.Sum(now, length))
		}
	})
}

func sum(events []event, now, length int64) (p Pair) {
	bucket := length / Buckets
	for _, e := range events {
		if e.at/bucket > now/bucket-Buckets {
			p.A, p.B = p.A+e.a, p.B+e.b
		}
	}
	return p
}

func TestClockGoesBack(t *testing.T) {
	var w Window
	w.Add(1_000_000, 8000, 1, 0)
	w.Add(997_000, 8000, 1, 0)
	require.Equal(t, Pair{2, 0}, w.Sum(1_000_000, 8000), "a little: it counts as now")
	w.Add(500_000, 8000, 0, 1)
	require.Equal(t, Pair{0, 1}, w.Sum(500_000, 8000), "a lot: the window is empty")
	w.Add(-5, 8000, 0, 1)
	require.Equal(t, Pair{0, 1}, w.Sum(-5, 8000), "before the epoch")
}

func TestExtremes(t *testing.T) {
	var w Window
	w.Add(1, 0, math.MaxUint32, 1)
	w.Add(1, 0, 5, 1)
	require.Equal(t, Pair{math.MaxUint32, 2}, w.Sum(1, 0), "counters stop at their end")
	w.Slot = -3
	require.Equal(t, Pair{}, w.Sum(1, 0))
}
