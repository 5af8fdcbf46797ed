// Package yamlconfig reads postern.yaml into the tree that filters/config
// decodes, keeping the line and column of every key and value, and writes that
// tree as the JSON that the module is configured with.
//
// It reads a strict part of YAML: one document, or a stream of them for tools that
// read resources; the values that JSON has; anchors and aliases within a bound; no
// merge keys, no tags, no duplicate keys. What YAML 1.1 took for something else (yes, on, 12:30, 2024-01-01) is
// text. It does not know any section of the configuration, reads no files and
// has nothing of the module's hot path: it is for tools.
package yamlconfig

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	yaml "go.yaml.in/yaml/v3"

	"github.com/posterngw/postern/filters/config"
)

// maxExpanded bounds what aliases add to a document: its values and the bytes
// of their texts.
const maxExpanded = 1 << 20

// ToJSON renders a document as compact JSON: keys in file order, numbers as
// they were spelled, so equal documents give equal bytes.
func ToJSON(n *config.Node) []byte { return config.AppendJSON(nil, n) }

// Parse reads a document within the bounds of config.ParseJSON. The name is
// the file's and only appears in messages. The node is nil if the text cannot
// be read at all; with other errors it holds what could be read.
func Parse(name string, data []byte) (*config.Node, config.Errors) {
	data, errs := text(name, data, config.MaxBytes)
	if errs != nil {
		return nil, errs
	}
	doc, errs := read(name, data)
	if errs != nil {
		return nil, errs
	}
	var c converter
	n := c.node(doc)
	c.errs.Sort()
	if len(c.errs) == 0 && len(ToJSON(n)) > config.MaxBytes {
		return n, single(1, 1, config.TooLarge, name+" is larger than "+strconv.Itoa(config.MaxBytes)+" bytes as JSON")
	}
	return n, c.errs
}

// MaxStream bounds the bytes of a stream of documents.
const MaxStream = 2 * config.MaxBytes

// ParseAll reads a stream of documents, all together within the bounds of Parse
// but for their bytes, which are at most MaxStream. Documents without a value are
// left out. After an error it reads no further.
func ParseAll(name string, data []byte) (documents []*config.Node, errs config.Errors) {
	data, errs = text(name, data, MaxStream)
	if errs != nil {
		return nil, errs
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var c converter // one for all: the library lets aliases reach into other documents
	for {
		var doc yaml.Node
		switch err := decode(d, &doc); {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return nil, syntax(err, data)
		case empty(&doc):
			continue
		}
		n := c.node(doc.Content[0])
		if len(c.errs) > 0 {
			c.errs.Sort()
			return nil, c.errs
		}
		documents = append(documents, n)
	}
}

// text is what can be read of a file's bytes.
func text(name string, data []byte, limit int) ([]byte, config.Errors) {
	if len(data) > limit {
		return nil, single(1, 1, config.TooLarge, name+" is larger than "+strconv.Itoa(limit)+" bytes")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, single(1, 1, config.Syntax, name+" is not UTF-8")
	}
	return data, nil
}

func single(line, column int, code config.Code, message string) config.Errors {
	return config.Errors{{Line: line, Column: column, Code: code, Message: message}}
}

// read returns the value of the only document.
func read(name string, data []byte) (*yaml.Node, config.Errors) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	switch err := decode(d, &doc); {
	case errors.Is(err, io.EOF), err == nil && empty(&doc):
		return nil, single(1, 1, config.Syntax, name+" is empty")
	case err != nil:
		return nil, syntax(err, data)
	}
	switch err := decode(d, &next); {
	case errors.Is(err, io.EOF):
		return doc.Content[0], nil
	case err != nil:
		return nil, syntax(err, data)
	}
	return nil, single(max(next.Line, 1), max(next.Column, 1), config.Syntax, "a second document: "+name+" may hold only one")
}

// empty reports whether a document has nothing in it, as "---" alone.
func empty(doc *yaml.Node) bool {
	if len(doc.Content) != 1 {
		return true
	}
	root := doc.Content[0]
	return root.Kind == yaml.ScalarNode && root.Tag == "!!null" && root.Value == ""
}

// decode reads the next document. The library panics on what it takes for a
// mistake of its own; to the user that is text that cannot be read.
func decode(d *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("yaml: the text cannot be understood")
		}
	}()
	return d.Decode(into)
}
