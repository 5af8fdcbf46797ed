package mock

import (
	"fmt"

	"github.com/posterngw/postern/tools/mock/core"
)

// BehaviourHeader is the request header that asks for behaviours.
const BehaviourHeader = core.BehaviourHeader

// Behaviour is one row of the table of behaviours.
type Behaviour = core.Behaviour

// Behaviours returns the table of behaviours on demand.
func Behaviours() []Behaviour { return append([]Behaviour{}, core.Behaviours...) }

// Table renders the behaviours as the lines of a table, as the package
// documentation has it.
func Table() []string {
	var lines []string
	for _, b := range core.Behaviours {
		name := b.Name
		if b.Arg != "" {
			name += "=" + b.Arg
		}
		doc := b.Doc
		if b.Default != "" {
			doc += " (" + b.Default + ")"
		}
		lines = append(lines, fmt.Sprintf("%-21s %s", name, doc))
	}
	return lines
}
