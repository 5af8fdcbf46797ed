package yamlconfig

import (
	"slices"
	"strconv"

	yaml "go.yaml.in/yaml/v3"

	"github.com/posterngw/postern/filters/config"
)

// converter turns yaml nodes into config nodes.
type converter struct {
	errs     config.Errors
	depth    int
	nodes    int
	stopped  bool         // a bound was passed: nothing more is read
	open     []*yaml.Node // the anchored values that it is in
	aliases  int          // how many aliases deep it is
	expanded int          // bytes and values that aliases added
}

func (c *converter) fail(y *yaml.Node, pointer string, code config.Code, message, hint string) {
	c.errs.Add(config.Error{Line: y.Line, Column: y.Column, Pointer: pointer,
		Code: code, Message: message, Hint: hint})
}

// stop reports a bound and ends the conversion.
func (c *converter) stop(y *yaml.Node, pointer, message string) {
	if !c.stopped {
		c.fail(y, pointer, config.TooLarge, message, "")
	}
	c.stopped = true
}

// node converts a value. What cannot be converted becomes null, with an error.
func (c *converter) node(y *yaml.Node, pointer string) *config.Node {
	n := &config.Node{Line: int32(y.Line), Column: int32(y.Column)}
	if c.nodes++; c.nodes > config.MaxNodes {
		c.stop(y, pointer, "the document has too many values")
	}
	if c.aliases > 0 {
		if c.expanded += 1 + len(y.Value); c.expanded > maxExpanded {
			c.stop(y, pointer, "aliases repeat too much of the document")
		}
	}
	switch {
	case c.stopped:
	case y.Kind == yaml.AliasNode:
		return c.alias(y, pointer)
	case y.Style&yaml.TaggedStyle != 0:
		// A tag may be a secret without quotes: it is not repeated.
		c.fail(y, pointer, config.Invalid, "tags (!) are not supported", "text that begins with ! goes in quotes")
	case y.Kind == yaml.ScalarNode:
		c.scalar(n, y, pointer)
	default:
		c.nested(n, y, pointer)
	}
	return n
}

func (c *converter) nested(n *config.Node, y *yaml.Node, pointer string) {
	if c.depth == config.MaxDepth {
		c.fail(y, pointer, config.TooLarge, "nested too deep: at most "+strconv.Itoa(config.MaxDepth)+" levels", "")
		return
	}
	c.depth++
	if y.Anchor != "" {
		c.open = append(c.open, y)
		defer func() { c.open = c.open[:len(c.open)-1] }()
	}
	if y.Kind == yaml.MappingNode {
		c.mapping(n, y, pointer)
	} else {
		c.sequence(n, y, pointer)
	}
	c.depth--
}

// alias converts what an alias stands for; the value itself is shown where the
// alias is, what lies in it where it was written.
func (c *converter) alias(y *yaml.Node, pointer string) *config.Node {
	if slices.Contains(c.open, y.Alias) {
		c.fail(y, pointer, config.Invalid, "an alias (*) of a value that it is in", "write the value out")
		return &config.Node{Line: int32(y.Line), Column: int32(y.Column)}
	}
	c.aliases++
	n := c.node(y.Alias, pointer)
	c.aliases--
	n.Line, n.Column = int32(y.Line), int32(y.Column)
	return n
}

func (c *converter) sequence(n *config.Node, y *yaml.Node, pointer string) {
	n.Kind = config.KindList
	for i, item := range y.Content {
		n.Items = append(n.Items, c.node(item, pointer+"/"+strconv.Itoa(i)))
	}
}

func (c *converter) mapping(n *config.Node, y *yaml.Node, pointer string) {
	n.Kind = config.KindMap
	first := make(map[string]*yaml.Node, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, ok := c.key(y.Content[i], pointer)
		if !ok {
			continue
		}
		here := pointer + "/" + config.EscapeToken(key.Value)
		if f := first[key.Value]; f != nil {
			c.fail(y.Content[i], here, config.DuplicateKey, "duplicate key "+config.Quote(key.Value),
				"the first is at line "+strconv.Itoa(f.Line)+", column "+strconv.Itoa(f.Column))
			continue
		}
		first[key.Value] = y.Content[i]
		n.Members = append(n.Members, config.Member{
			Key: key.Value, KeyLine: int32(y.Content[i].Line), KeyColumn: int32(y.Content[i].Column),
			Value: c.node(y.Content[i+1], here),
		})
	}
}

// key returns the scalar that a key is, through an alias if need be.
func (c *converter) key(y *yaml.Node, pointer string) (*yaml.Node, bool) {
	key := y
	if key.Kind == yaml.AliasNode {
		key = key.Alias
	}
	switch {
	case key.Kind != yaml.ScalarNode:
		c.fail(y, pointer, config.WrongType, "a key that is not a text", "")
	case key.Style&yaml.TaggedStyle != 0:
		c.fail(y, pointer, config.Invalid, "a key with a tag", "remove the tag")
	case key.Tag == "!!merge":
		c.fail(y, pointer+"/<<", config.Invalid, "merge keys are not supported", "repeat the keys, or use an alias for a whole value")
	case key.Tag == "!!null":
		c.fail(y, pointer, config.WrongType, "a key that is null", "put it in quotes if it is meant as text")
	default:
		return key, true
	}
	return nil, false
}

// scalar converts by YAML 1.2's core schema, less its spellings of numbers
// that JSON has not.
func (c *converter) scalar(n *config.Node, y *yaml.Node, pointer string) {
	n.Text = y.Value
	switch y.Tag {
	case "!!null":
		n.Kind, n.Text = config.KindNull, ""
	case "!!bool":
		n.Kind, n.Text = config.KindBool, "false"
		if y.Value[0]|0x20 == 't' {
			n.Text = "true"
		}
	case "!!int", "!!float":
		n.Kind = config.KindNumber
		if !config.ValidNumber(y.Value) {
			n.Text = "0"
			// It may be a secret without quotes: it is not repeated.
			c.fail(y, pointer, config.Invalid, "a number that is not plain decimal",
				"write it as 1234 or 1.5, or in quotes if it is meant as text")
		}
	default: // !!str, !!timestamp, and "<<" as a value
		n.Kind = config.KindString
	}
}
