package losses

import (
	"fmt"
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
)

// signs are the words of fates in a table's cell.
var signs = map[string]string{"kept": "✓", "mapped": "✓", "defaulted": "~", "dropped": "–", "refused": "✗", "gateway": "·", "unserved": " ", "lost": "LOST"}

const legend = `Each table is one client API: a row is a field of its request, a column a target.

| sign | what becomes of the field |
|---|---|
| ✓ | it reaches the provider: as it came where both sides speak one API, else in the provider's own words |
| ~ | weakened, or replaced by what comes nearest; the ledger says so |
| – | left out; the ledger says so |
| ✗ | the request is refused for this target: the next one of the plan is tried, or the client is told |
| · | the gateway itself obeys it |

A number is the reason, below the table. A field stands there once for each form that fares differently.
The ledger of a request is in its audit record (` + "`losses`" + `) and, unless the model says ` + "`on_loss: allow`" + `, in the answer's
header ` + "`x-postern-loss`" + `; ` + "`on_loss: refuse`" + ` makes every – a ✗.
`

// Markdown writes the matrix of all pairs.
func Markdown(dialects []*dialect.Dialect) ([]byte, error) {
	var b strings.Builder
	b.WriteString(legend)
	targets := named(Targets(dialects))
	clients := Clients(dialects)
	var passed []Row
	for i := range clients {
		c := &clients[i]
		if len(c.Fields) == 0 {
			row, err := Whole(c, targets)
			if err != nil {
				return nil, fmt.Errorf("%s/%s: %w", c.Dialect.Name, c.API.Name, err)
			}
			passed = append(passed, row)
			continue
		}
		rows, err := Rows(c, targets)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", c.Dialect.Name, c.API.Name, err)
		}
		fmt.Fprintf(&b, "\n## %s %s\n\n", c.Dialect.Name, c.API.Name)
		table(&b, rows, targets)
	}
	b.WriteString("\n## Requests that keep their API\n\nThey are read and passed on, and not translated: a row is a whole request.\n\n")
	table(&b, passed, targets)
	return []byte(b.String()), nil
}

// named are the targets that have a column.
func named(targets []Target) []Target {
	return slices.DeleteFunc(targets, func(t Target) bool { return t.Name == "" })
}

// reasons numbers the reasons of a table.
type reasons struct{ list []string }

func (r *reasons) number(why string) int {
	for i, known := range r.list {
		if known == why {
			return i + 1
		}
	}
	r.list = append(r.list, why)
	return len(r.list)
}

func table(b *strings.Builder, rows []Row, targets []Target) {
	b.WriteString("| field |")
	for _, t := range targets {
		b.WriteString(" " + t.Name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat(":-:|", len(targets)) + "\n")
	var why reasons
	for _, r := range rows {
		fmt.Fprintf(b, "| `%s` %s |", strings.TrimPrefix(r.Field.Pointer, "/"), example(r.Field.Example))
		for _, f := range r.Fates {
			b.WriteString(" " + signs[f.Word])
			if f.Why != "" && f.Word != "lost" {
				fmt.Fprintf(b, " %d", why.number(f.Why))
			}
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for i, reason := range why.list {
		fmt.Fprintf(b, "%d. %s\n", i+1, reason)
	}
}

// example is a value in a table's cell, short.
func example(value string) string {
	const most = 48
	value = strings.ReplaceAll(value, "|", `\|`)
	if len(value) > most {
		value = value[:most] + "…"
	}
	return "`" + value + "`"
}
