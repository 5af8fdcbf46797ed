package llm

// Tier is the service tier that served a request. It has a price of its own.
type Tier uint8

// The tiers. StandardTier is also what a provider that says nothing serves.
const (
	StandardTier Tier = iota
	FlexTier          // slower, for less
	PriorityTier      // faster, for more
	BatchTier         // answered later
	ReservedTier      // from capacity that was bought ahead
	tiers
)

var tierNames = [tiers]string{"", "flex", "priority", "batch", "reserved"}

// String is the tier's stable name; empty for StandardTier.
func (t Tier) String() string {
	if t < tiers {
		return tierNames[t]
	}
	return ""
}

// TierOf reads a tier as providers name it, without its quotes. What is not
// known is StandardTier.
func TierOf(name []byte) Tier {
	switch string(name) {
	case "flex":
		return FlexTier
	case "priority":
		return PriorityTier
	case "batch":
		return BatchTier
	case "scale", "reserved":
		return ReservedTier
	}
	return StandardTier
}
