package budget

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

func TestDefaults(t *testing.T) {
	c := conf(t, `{"b": {"unit": "tokens", "limit": 6400, "window": "day"}}`)
	require.Equal(t, Budget{Unit: Tokens, Limit: 6400, Window: Day, Mode: Hard, LeaseTTL: time.Minute,
		OnStoreFailure: Closed, MaxSubjects: 4096}, c.Budgets[0].Value)
	r := newRule(0, "b", &c.Budgets[0].Value)
	require.EqualValues(t, 100, r.meter.Chunk)
	require.Equal(t, 1, r.meter.slots(), "without `per` there is one subject")
}

func TestTable(t *testing.T) {
	var models map[string]string
	fields := append(Fields(&Config{}), config.StringMap("models", &models, config.In("models")))
	require.NoError(t, config.Verify(fields).Err())
}

func TestConfigErrors(t *testing.T) {
	tests := []struct{ name, budget, want string }{
		{"no unit", `"limit": 1, "window": "day"`, `missing key "unit"`},
		{"no limit", `"unit": "tokens", "window": "day"`, `missing key "limit"`},
		{"no window", `"unit": "tokens", "limit": 1`, `missing key "window"`},
		{"limit of nothing", `"unit": "tokens", "limit": 0, "window": "day"`, "/budgets/b/limit"},
		{"unknown window", `"unit": "tokens", "limit": 1, "window": "week"`, "/budgets/b/window"},
		{"unknown attribute", `"unit": "tokens", "limit": 1, "window": "day", "per": ["teem"]`, `did you mean "team"?`},
		{"unknown filter", `"unit": "tokens", "limit": 1, "window": "day", "principals": {"teem": "x"}`, `"teem" is not an attribute`},
		{"empty filter", `"unit": "tokens", "limit": 1, "window": "day", "principals": {"team": ""}`, "the attribute team has no value"},
		{"unknown model", `"unit": "tokens", "limit": 1, "window": "day", "models": ["fats"]`, `did you mean "fast"?`},
		{"bucket of tokens", `"unit": "tokens", "limit": 1, "window": "day", "burst": 1`, "/budgets/b/burst: a token bucket counts requests only"},
		{"bucket per month", `"unit": "requests", "limit": 1, "window": "month", "burst": 1`, "/budgets/b/window: a token bucket cannot refill per month"},
		{"flood", `"unit": "requests", "limit": 1000000001, "window": "day", "burst": 1`, "/budgets/b/limit: too much"},
		{"short life", `"unit": "tokens", "limit": 1, "window": "day", "lease_ttl": "1s"`, "/budgets/b/lease_ttl"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, errs := config.ParseJSON([]byte(`{"models": {"fast": ""}, "budgets": {"b": {` + tt.budget + `}}}`))
			require.NoError(t, errs.Err())
			var models map[string]string
			fields := append(Fields(&Config{}), config.StringMap("models", &models, config.In("models")))
			require.ErrorContains(t, config.Decode(n, fields).Err(), tt.want)
		})
	}
}

func TestWindows(t *testing.T) {
	at := time.Date(2028, 2, 29, 23, 59, 59, 123e6, time.UTC)
	tests := []struct {
		w          Window
		start, end string
	}{
		{Second, "2028-02-29T23:59:59Z", "2028-03-01T00:00:00Z"},
		{Minute, "2028-02-29T23:59:00Z", "2028-03-01T00:00:00Z"},
		{Hour, "2028-02-29T23:00:00Z", "2028-03-01T00:00:00Z"},
		{Day, "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"},
		{Month, "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(string(tt.w), func(t *testing.T) {
			start, end := tt.w.span(at.UnixMilli())
			require.Equal(t, tt.start, time.UnixMilli(start).UTC().Format(time.RFC3339))
			require.Equal(t, tt.end, time.UnixMilli(end).UTC().Format(time.RFC3339))
			r := rule{meter: Meter{Window: tt.w}}
			r.roll(at.UnixMilli())
			r.roll(start - 1)
			require.Equal(t, start, r.start, "a clock that goes back a little")
			r.roll(start - 40*86_400_000)
			require.Less(t, r.start, start)
		})
	}
}
