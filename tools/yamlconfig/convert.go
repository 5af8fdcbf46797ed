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
	path     []string
	nodes    int
	stopped  bool         // a bound was passed: nothing more is read
	open     []*yaml.Node // the anchored values that it is in
	aliases  int          // how many aliases deep it is
	expanded int          // bytes and values that aliases added
}

func (c *converter) fail(y *yaml.Node, code config.Code, message, hint string) {
	c.errs.Add(config.Error{Line: y.Line, Column: y.Column, Pointer: config.Pointer(c.path),
		Code: code, Message: message, Hint: hint})
}

// failKey reports on a key of the value that it is at.
func (c *converter) failKey(y *yaml.Node, key string, code config.Code, message, hint string) {
	c.path = append(c.path, key)
	c.fail(y, code, message, hint)
	c.path = c.path[:len(c.path)-1]
}

// stop reports a bound and ends the conversion.
func (c *converter) stop(y *yaml.Node, message string) {
	if !c.stopped {
		c.fail(y, config.TooLarge, message, "")
	}
	c.stopped = true
}

// node converts a value. What cannot be converted becomes null, with an error.
func (c *converter) node(y *yaml.Node) *config.Node {
	n := &config.Node{Line: int32(y.Line), Column: int32(y.Column)}
	if c.nodes++; c.nodes > config.MaxNodes {
		c.stop(y, "the document has too many values")
	}
	if c.aliases > 0 {
		if c.expanded += 1 + len(y.Value); c.expanded > maxExpanded {
			c.stop(y, "aliases repeat too much of the document")
		}
	}
	switch {
	case c.stopped:
	case y.Kind == yaml.AliasNode:
		return c.alias(y)
	case y.Style&yaml.TaggedStyle != 0:
		// A tag may be a secret without quotes: it is not repeated.
		c.fail(y, config.Invalid, "tags (!) are not supported", "text that begins with ! goes in quotes")
	case y.Kind == yaml.ScalarNode:
		c.scalar(n, y)
	default:
		c.nested(n, y)
	}
	return n
}

func (c *converter) nested(n *config.Node, y *yaml.Node) {
	if len(c.path) == config.MaxDepth {
		c.fail(y, config.TooLarge, "nested too deep", "at most "+strconv.Itoa(config.MaxDepth)+" levels")
		return
	}
	if y.Anchor != "" {
		c.open = append(c.open, y)
		defer func() { c.open = c.open[:len(c.open)-1] }()
	}
	if y.Kind == yaml.MappingNode {
		c.mapping(n, y)
	} else {
		c.sequence(n, y)
	}
}

// below converts a value that is one step down.
func (c *converter) below(token string, y *yaml.Node) *config.Node {
	c.path = append(c.path, token)
	n := c.node(y)
	c.path = c.path[:len(c.path)-1]
	return n
}

// alias converts what an alias stands for; the value itself is shown where the
// alias is, what lies in it where it was written.
func (c *converter) alias(y *yaml.Node) *config.Node {
	if slices.Contains(c.open, y.Alias) {
		c.fail(y, config.Invalid, "an alias (*) of a value that it is in", "write the value out")
		return &config.Node{Line: int32(y.Line), Column: int32(y.Column)}
	}
	c.aliases++
	n := c.node(y.Alias)
	c.aliases--
	n.Line, n.Column = int32(y.Line), int32(y.Column)
	return n
}

func (c *converter) sequence(n *config.Node, y *yaml.Node) {
	n.Kind = config.KindList
	for i, item := range y.Content {
		n.Items = append(n.Items, c.below(strconv.Itoa(i), item))
	}
}

func (c *converter) mapping(n *config.Node, y *yaml.Node) {
	n.Kind = config.KindMap
	first := make(map[string]*yaml.Node, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		at := y.Content[i]
		key, ok := c.key(at)
		if !ok {
			continue
		}
		if f := first[key]; f != nil {
			c.failKey(at, key, config.DuplicateKey, "duplicate key "+config.Quote(key),
				"the first is at line "+strconv.Itoa(f.Line)+", column "+strconv.Itoa(f.Column))
			continue
		}
		first[key] = at
		n.Members = append(n.Members, config.Member{
			Key: key, KeyLine: int32(at.Line), KeyColumn: int32(at.Column),
			Value: c.below(key, y.Content[i+1]),
		})
	}
}

// key returns the text that a key is, through an alias if need be.
func (c *converter) key(y *yaml.Node) (string, bool) {
	key := y
	if key.Kind == yaml.AliasNode {
		key = key.Alias
	}
	switch {
	case key.Kind != yaml.ScalarNode:
		c.fail(y, config.WrongType, "a key that is not a text", "")
	case key.Style&yaml.TaggedStyle != 0:
		c.fail(y, config.Invalid, "a key with a tag", "remove the tag")
	case key.Tag == "!!merge":
		c.failKey(y, "<<", config.Invalid, "merge keys are not supported", "repeat the keys, or use an alias for a whole value")
	case key.Tag == "!!null":
		c.fail(y, config.WrongType, "a key that is null", "put it in quotes if it is meant as text")
	case len(key.Value) > config.MaxKey:
		c.fail(y, config.TooLarge, "a key is too long", "at most "+strconv.Itoa(config.MaxKey)+" bytes")
	default:
		return key.Value, true
	}
	return "", false
}

// scalar converts by YAML 1.2's core schema, less its spellings of numbers
// that JSON has not.
func (c *converter) scalar(n *config.Node, y *yaml.Node) {
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
			c.fail(y, config.Invalid, "a number that is not plain decimal",
				"write it as 1234 or 1.5, or in quotes if it is meant as text")
		}
	default: // !!str, !!timestamp, and "<<" as a value
		n.Kind = config.KindString
		if y.Style == 0 && config.ValidNumber(y.Value) {
			n.Kind = config.KindNumber // too large for the library
		}
	}
}
