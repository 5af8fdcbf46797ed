// Package document reads a postern.yaml together with the file of prices that it
// may refer to: the module reads no files, so the tools put the prices into the
// document before they check or render it.
//
// It checks the table by itself, so that its errors tell its own name and lines;
// everything else is the caller's.
package document

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/price"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// Read reads a document. The table's path is below the folder of the document's
// own, or absolute.
func Read(path string, text []byte) (*config.Node, config.Errors) {
	node, errs := yamlconfig.Parse(path, text)
	if len(errs) > 0 {
		return node, errs
	}
	section := node.Get("price")
	name := section.Get("table")
	if name == nil || name.Kind != config.KindString || name.Text == "" {
		return node, nil // what is wrong with it is found by the section's own table
	}
	table, err := load(path, name.Text)
	if err == nil {
		err = merge(section, table)
	}
	if err != nil {
		return node, config.Errors{{Line: int(name.Line), Column: int(name.Column), Pointer: "/price/table", Code: config.Invalid, Message: err.Error()}}
	}
	return node, nil
}

// load reads and checks a table.
func load(document, name string) (*config.Node, error) {
	path := filepath.FromSlash(name)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(document), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	node, errs := yamlconfig.Parse(name, text)
	if len(errs) == 0 {
		errs = config.Decode(node, price.TableFields(&price.Config{}))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%s:%s", name, errs[0].Error())
	}
	return node, nil
}

// merge puts a table in the place of its name. What the section says itself counts
// before it.
func merge(section, table *config.Node) error {
	own, theirs := section.Get("currency"), table.Get("currency")
	if own != nil && theirs != nil && own.Text != theirs.Text {
		return fmt.Errorf("the table's prices are in %s, the section's in %s", theirs.Text, own.Text)
	}
	kept := section.Members[:0:0]
	for _, m := range section.Members {
		if m.Key != "table" {
			kept = append(kept, m)
		}
	}
	for _, m := range table.Members {
		at := find(kept, m.Key)
		switch {
		case at < 0:
			kept = append(kept, m)
		case kept[at].Value.Kind == config.KindMap && m.Value.Kind == config.KindMap:
			both := *kept[at].Value
			both.Members = both.Members[:len(both.Members):len(both.Members)]
			for _, entry := range m.Value.Members {
				if find(both.Members, entry.Key) < 0 {
					both.Members = append(both.Members, entry)
				}
			}
			kept[at].Value = &both
		}
	}
	section.Members = kept
	return nil
}

func find(members []config.Member, key string) int {
	for i := range members {
		if members[i].Key == key {
			return i
		}
	}
	return -1
}
