package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/shared/sharedtest"
)

// TestPreset: what was written is what a VM sees.
func TestPreset(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, want := range []Snapshot{
		{State: Closed, Share: 1, FirstToken: 300 * time.Millisecond, PerToken: 20 * time.Millisecond},
		{State: Open, Until: now.Add(time.Minute), Cause: llm.Overloaded},
		{State: HalfOpen, Cause: llm.ProviderError},
	} {
		host := sharedtest.New()
		require.True(t, Preset(host, "a", &want, now))
		h := New(&Config{Settings: Settings{Open: time.Second, MaxOpen: time.Second, Probes: 1, Window: time.Minute, MinRequests: 1}}, []Target{{Name: "a"}}, host)
		got := h.Look(0, now)
		require.Equal(t, want, got, want.State.String())
	}
	require.False(t, Preset(sharedtest.New(), "a", &Snapshot{State: Open, Until: now.Add(1000 * time.Hour)}, now), "longer than anything is shut out")
}
