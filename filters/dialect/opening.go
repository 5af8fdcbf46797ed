package dialect

import (
	"github.com/posterngw/postern/filters/fasthash"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// openingBytes is how much of each piece of an opening counts.
const openingBytes = 1 << 10

// Opening is a hash of what all turns of a conversation begin with: the
// instructions, and the turns up to the first of the user's. A conversation
// that is one text, or without turns, is its own opening.
func Opening(turns, instructions []byte) uint64 {
	h := opened(1, instructions)
	if jsonx.KindOf(turns) != jsonx.Array {
		return opened(h, turns)
	}
	for turn := jsonx.Elements(turns); turn.Next(); {
		h = opened(h, turn.Value())
		role, there := jsonx.Lookup(turn.Value(), "role")
		if !there || jsonx.Equal(jsonx.Interior(role), "user") {
			break
		}
	}
	return h
}

func opened(h uint64, b []byte) uint64 {
	return fasthash.Bytes(h+uint64(len(b)), b[:min(len(b), openingBytes)])
}
