package yamlconfig

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"github.com/posterngw/postern/filters/config"
)

// syntax turns an error of the library ("yaml: line 3: …") into one of ours.
//
// The library's line is mostly that of the enclosing construct, absent for the
// first line, and counted from 0 or 1 by the kind of error. So the text is read
// once more: after an empty line, which no line can then be lost in, and a byte
// at a time, which tells where the library stopped.
func syntax(err error, data []byte) config.Errors {
	const before, after = "\n", "\n\n\n\n"
	r := &byteReader{data: slices.Concat([]byte(before), data, []byte(after))}
	d := yaml.NewDecoder(r)
	for again := error(nil); again == nil; {
		if again = decode(d, new(yaml.Node)); again != nil && !errors.Is(again, io.EOF) {
			err = again
		}
	}
	context, message := split(err)
	e := explain(message)
	line, column := r.stopped(e)
	switch {
	case e.atContext:
		line, column = max(context-1, 1), 1 // a scanner's: it counts from 1
	case e.atAlias:
		line = firstAlias(data, message, line)
		column = 1
	case e.opened:
		e.hint += strconv.Itoa(context)
	}
	return config.Errors{{Line: line, Column: column, Code: config.Syntax, Message: e.message, Hint: e.hint}}
}

// firstAlias returns the line of the first alias of the anchor that a message
// names in single quotes: with no such anchor, the first is what fails.
func firstAlias(data []byte, message string, otherwise int) int {
	if parts := strings.Split(message, "'"); len(parts) == 3 {
		if i := bytes.Index(data, []byte("*"+parts[1])); i >= 0 {
			return bytes.Count(data[:i], []byte{'\n'}) + 1
		}
	}
	return otherwise
}

// split takes the line out of the library's message; 1 if it has none.
func split(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	rest, ok := strings.CutPrefix(message, "line ")
	if !ok {
		return 1, message
	}
	number, text, _ := strings.Cut(rest, ": ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 1, message
	}
	return n, text
}

// explanation is what a message of the library means to who wrote the file.
type explanation struct {
	prefix, message, hint string
	atContext             bool // the library's line is the useful one
	atAlias               bool // it names an anchor
	opened                bool // the library's line ends the hint
	atOnce                bool // the library has looked no further
}

// The library names an anchor that it does not know: that may be a secret
// without quotes, so it is left out.
var explanations = []explanation{
	{prefix: "unknown anchor", message: "an alias (*) of an anchor that is not there",
		hint: "text that begins with * goes in quotes", atAlias: true},
	{prefix: "mapping values are not allowed", message: "a key that cannot stand here",
		hint: "check the indentation; text with a colon and a space goes in quotes"},
	{prefix: "did not find expected key", message: "expected a key",
		hint: "check the indentation, and the quotes before"},
	{prefix: "did not find expected '-' indicator", message: "expected another entry of the list",
		hint: "check the indentation"},
	{prefix: "found a tab character", message: "a tab in the indentation",
		hint: "indent with spaces", atOnce: true},
	{prefix: "did not find expected node content", message: "expected a value"},
	{prefix: "found incompatible YAML document", message: "an unknown version of YAML",
		hint: "remove the line that begins with %YAML"},
	{prefix: "did not find expected ',' or ']'", message: "expected ',' or ']'",
		hint: "the list begins at line ", opened: true},
	{prefix: "did not find expected ',' or '}'", message: "expected ',' or '}'",
		hint: "the object begins at line ", opened: true},
	{prefix: "could not find expected ':'", message: "a key without a colon", atContext: true},
	{prefix: "found character that cannot start any token", message: "a character that cannot begin a value",
		hint: "indent with spaces, not tabs; text that begins with @, ` or % goes in quotes"},
	{prefix: "found unexpected end of stream", message: "text in quotes without an end", atContext: true},
	{prefix: "found unknown escape character", message: "an unknown escape",
		hint: "use single quotes for text with backslashes"},
}

func explain(message string) explanation {
	for _, e := range explanations {
		if strings.HasPrefix(message, e.prefix) {
			return e
		}
	}
	return explanation{message: message}
}

// byteReader hands out a byte at a time and knows how many.
type byteReader struct {
	data  []byte
	taken int
}

var errNoRoom = errors.New("no room to read into")

func (r *byteReader) Read(p []byte) (int, error) {
	switch {
	case r.taken == len(r.data):
		return 0, io.EOF
	case len(p) == 0:
		return 0, errNoRoom
	}
	p[0] = r.data[r.taken]
	r.taken++
	return 1, nil
}

// lookAhead is how many characters the library mostly has before it looks at
// the first of them.
const lookAhead = 4

// stopped returns the line of the last visible character that the library
// looked at, not counting the empty line before the text, and the column of the
// first one on that line, in bytes.
func (r *byteReader) stopped(e explanation) (line, column int) {
	looked := r.data[:r.taken]
	if !e.atOnce {
		looked = looked[:max(r.taken-lookAhead+1, 0)]
	}
	looked = bytes.TrimRight(looked, " \r\n")
	start := bytes.LastIndexByte(looked, '\n') + 1
	indent := len(looked[start:]) - len(bytes.TrimLeft(looked[start:], " \t"))
	return max(bytes.Count(looked, []byte{'\n'}), 1), indent + 1
}
