package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/fasthash"
)

func table(window time.Duration, entries int) *Repeats {
	return NewRepeats(&RepeatsConfig{Window: window, Entries: entries})
}

func TestRepeats(t *testing.T) {
	r := table(time.Minute, 64)
	k := Key{1, 2}
	now := epoch
	for want := range 3 {
		require.Equal(t, want, r.Request(k, now))
		now = now.Add(time.Minute)
	}
	require.Zero(t, r.Request(Key{1, 3}, now), "the next turn of the conversation")
	require.Zero(t, r.Request(Key{2, 2}, now), "another conversation that says the same")
	require.Zero(t, r.Request(k, now.Add(time.Minute+1)), "long after")
	r.Attempt()
	require.Equal(t, Totals{Requests: 6, Distinct: 4, Attempts: 1}, r.Totals())
}

func TestSize(t *testing.T) {
	for entries, sets := range map[int]int{16: 4, 17: 8, 1024: 256, 65536: 16384, 0: 1} {
		require.Len(t, table(time.Minute, entries).sets, sets)
	}
}

// TestSecondChance: who repeats is not pushed out by many who do not.
func TestSecondChance(t *testing.T) {
	r := table(time.Minute, 4)
	r.Request(Key{1, 1}, epoch)
	for i := range uint64(100) {
		require.EqualValues(t, i+1, r.Request(Key{1, 1}, epoch))
		require.Zero(t, r.Request(Key{2, i}, epoch))
	}
}

// TestRepeatsModel holds the table against one without bounds: it may miss
// repeats, when it is too small, and invents none.
func TestRepeatsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SampledFrom([]int{4, 16, 1024}).Draw(t, "entries")
		r := table(10*time.Second, entries)
		last, count := map[Key]time.Time{}, map[Key]int{}
		now := epoch
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			k := Key{rapid.Uint64Range(0, 3).Draw(t, "conversation"), rapid.Uint64Range(0, 9).Draw(t, "body")}
			if now.Sub(last[k]) > 10*time.Second {
				count[k] = 0
			}
			got := r.Request(k, now)
			require.LessOrEqual(t, got, count[k])
			if entries == 1024 {
				require.Equal(t, count[k], got)
			}
			last[k], count[k] = now, count[k]+1
			require.LessOrEqual(t, r.Totals().Distinct, r.Totals().Requests)
		}
	})
}

func TestRepeatsOnAnyClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := table(time.Minute, 16)
		for range 100 {
			now := time.UnixMilli(rapid.Int64Range(-1<<45, 1<<51).Draw(t, "now"))
			r.Request(Key{0, rapid.Uint64Range(0, 30).Draw(t, "body")}, now)
		}
		for i := range uint64(16) { // what came from the future gives way
			r.Request(Key{9, i}, epoch)
		}
		require.Equal(t, 1, r.Request(Key{9, 15}, epoch))
	})
}

// TestSpread: keys fill the table evenly.
func TestSpread(t *testing.T) {
	r := table(time.Minute, 1024)
	for i := range uint64(256) {
		r.Request(Key{fasthash.Bytes(1, []byte{byte(i)}), i}, epoch)
	}
	used := 0
	for _, s := range r.sets {
		if s[0].count > 0 {
			used++
		}
	}
	require.Greater(t, used, 120, "of 162 to be expected by chance")
}

func BenchmarkRepeats(b *testing.B) {
	r := table(time.Minute, 1024)
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		r.Request(Key{i & 4095 * odd, i}, epoch)
	}
}
