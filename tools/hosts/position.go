package hosts

import (
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

// position is where the value stands that a pointer (RFC 6901) leads to, by its key;
// of what the document does not have, the last value on the way there. Zeros stand
// for the document itself.
func position(n *config.Node, pointer string) (line, column int) {
	for _, token := range strings.Split(pointer, "/")[1:] {
		if n.Kind == config.KindList {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(n.Items) {
				break
			}
			n = n.Items[i]
			line, column = int(n.Line), int(n.Column)
			continue
		}
		key := config.UnescapeToken(token)
		i := slices.IndexFunc(n.Members, func(m config.Member) bool { return m.Key == key })
		if i < 0 {
			break
		}
		m := &n.Members[i]
		n, line, column = m.Value, int(m.KeyLine), int(m.KeyColumn)
	}
	return line, column
}
