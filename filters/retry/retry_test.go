package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/config"
)

var epoch = time.Date(2026, 2, 28, 23, 59, 50, 0, time.UTC)

// conf decodes a `retries` section as a user writes it.
func conf(t require.TestingT, text string) *Config {
	c, err := decode(t, text)
	require.NoError(t, err)
	return c
}

func decode(t require.TestingT, text string) (*Config, error) {
	n, errs := config.ParseJSON([]byte(`{"models": {"fast": "", "slow": ""}, "retries": ` + text + `}`))
	require.NoError(t, errs.Err())
	var models map[string]string
	c := &Config{}
	return c, config.Decode(n, []config.Field{config.Object("retries", c, Fields),
		config.StringMap("models", &models, config.In("models"))}).Err()
}

func TestBudget(t *testing.T) {
	b := New(conf(t, `{"min_per_second": 0.2, "share": 0.5, "window": "10s"}`), []string{"fast", "slow"})
	require.Equal(t, 2, b.Left(0, epoch))
	require.True(t, b.Allow(0, epoch))
	require.True(t, b.Allow(0, epoch))
	require.False(t, b.Allow(0, epoch))
	require.True(t, b.Allow(1, epoch), "each model has its own")
	b.Request(0, epoch)
	require.False(t, b.Allow(0, epoch))
	b.Request(0, epoch)
	require.True(t, b.Allow(0, epoch))
	b.Spend(0, epoch)
	b.Request(0, epoch)
	b.Request(0, epoch)
	require.False(t, b.Allow(0, epoch), "what was made unasked is lacking")
	require.Equal(t, 2, b.Left(0, epoch.Add(11*time.Second)), "nothing adds up beyond the window")
}

func TestConfig(t *testing.T) {
	c := conf(t, `{}`)
	require.Equal(t, Config{Budget: Limits{10, 0.2, 10 * time.Second}, Repeats: RepeatsConfig{time.Minute, 1024}}, *c)
	c = conf(t, `{"share": 0.1, "models": {"slow": {"min_per_second": 0}, "fast": {"window": "1m", "share": 0}}}`)
	require.Equal(t, Limits{0, 0.1, 10 * time.Second}, c.limits("slow"))
	require.Equal(t, Limits{10, 0, time.Minute}, c.limits("fast"))
	require.Equal(t, c.Budget, c.limits("other"))
	_, err := decode(t, `{"models": {"none": {}}}`)
	require.ErrorContains(t, err, `no "none" in models`)
	_, err = decode(t, `{"window": "10ms"}`)
	require.ErrorContains(t, err, "out of range")
}

func TestTable(t *testing.T) {
	var c Config
	require.NoError(t, config.Verify([]config.Field{config.Object("retries", &c, Fields, config.Doc("."))}).Err())
}

// event is a request or a retry.
type event struct {
	slot  int64
	retry bool
}

// TestBudgetModel holds the budget against a list of all events, and the bound
// that the package states.
func TestBudgetModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share := rapid.SampledFrom([]float64{0, 0.2, 1.5}).Draw(t, "share")
		floor := rapid.SampledFrom([]float64{0, 1, 3}).Draw(t, "floor")
		b := &Budgets{models: []budget{{floor: floor, share: share, length: 8000}}}
		now := epoch
		var events []event
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
			slot := now.UnixMilli() / 1000
			if rapid.Bool().Draw(t, "request") {
				b.Request(0, now)
				events = append(events, event{slot, false})
				continue
			}
			requests, retries := within(events, slot, 8)
			want := float64(retries)+1 <= floor+share*float64(requests)
			require.Equal(t, want, b.Allow(0, now))
			if want {
				events = append(events, event{slot, true})
				_, some := within(events, slot, 7)
				require.LessOrEqual(t, float64(some), floor+share*float64(requests))
			}
		}
	})
}

func within(events []event, slot, slots int64) (requests, retries int) {
	for _, e := range events {
		switch {
		case e.slot <= slot-slots:
		case e.retry:
			retries++
		default:
			requests++
		}
	}
	return requests, retries
}

func TestBudgetOnAnyClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := New(conf(t, `{"min_per_second": 1}`), []string{"fast"})
		for range 50 {
			now := time.UnixMilli(rapid.Int64Range(-1<<45, 1<<50).Draw(t, "now"))
			b.Request(0, now)
			b.Allow(0, now)
			require.GreaterOrEqual(t, b.Left(0, now), 0)
		}
		b.Request(0, epoch)
		require.LessOrEqual(t, b.Left(0, epoch), 21, "at most the floor and the share of a window")
	})
}

func BenchmarkBudget(b *testing.B) {
	s := New(conf(b, `{}`), []string{"fast"})
	b.ReportAllocs()
	for b.Loop() {
		s.Request(0, epoch)
		s.Allow(0, epoch)
	}
}
