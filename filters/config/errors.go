package config

import "strconv"

// MaxErrors bounds how many errors one document reports; one more, with code
// TooMany, says that there were others.
const MaxErrors = 100

// Code is the stable name of a kind of error.
type Code string

// The codes of errors.
const (
	Syntax       Code = "syntax"
	TooLarge     Code = "too_large"
	UnknownKey   Code = "unknown_key"
	DuplicateKey Code = "duplicate_key"
	Missing      Code = "missing"
	WrongType    Code = "wrong_type"
	OutOfRange   Code = "out_of_range"
	Dangling     Code = "dangling"
	Invalid      Code = "invalid"
	InlineSecret Code = "inline_secret"
	TooMany      Code = "too_many_errors"
	// DeprecatedKey is a warning, never an error.
	DeprecatedKey Code = "deprecated"
	// BadTable is a mistake in a table of fields, not in a document.
	BadTable Code = "bad_table"
)

// Error is one finding in a document.
type Error struct {
	Line, Column int    // from 1; 0 if the place is unknown
	Pointer      string // RFC 6901; "" is the whole document
	Code         Code
	Message      string
	Hint         string // what to do about it; may be empty
}

// Error renders one line: "12:5: /models/fast: unknown key "x" (did you mean …?)".
func (e Error) Error() string { return string(e.append(nil)) }

func (e Error) append(b []byte) []byte {
	if e.Line > 0 {
		b = strconv.AppendInt(b, int64(e.Line), 10)
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(e.Column), 10)
		b = append(b, ": "...)
	}
	if e.Pointer != "" {
		b = append(b, e.Pointer...)
		b = append(b, ": "...)
	}
	b = append(b, e.Message...)
	if e.Hint != "" {
		b = append(b, " ("...)
		b = append(b, e.Hint...)
		b = append(b, ')')
	}
	return b
}

// Errors are the findings in one document, sorted by position.
type Errors []Error

// Err returns the errors as an error, or nil if there are none.
func (es Errors) Err() error {
	if len(es) == 0 {
		return nil
	}
	return es
}

// Error renders one line for each error.
func (es Errors) Error() string { return es.render("") }

// In renders one line for each error, each with the file's name in front:
// "postern.yaml:12:5: /models: …".
func (es Errors) In(file string) string { return es.render(file + ":") }

func (es Errors) render(prefix string) string {
	var b []byte
	for i := range es {
		if i > 0 {
			b = append(b, '\n')
		}
		b = append(b, prefix...)
		if prefix != "" && es[i].Line == 0 {
			b = append(b, ' ')
		}
		b = es[i].append(b)
	}
	return string(b)
}

// Add appends an error unless MaxErrors are there already; it then appends, once, one
// with the code TooMany.
func (es *Errors) Add(e Error) {
	switch n := len(*es); {
	case n < MaxErrors:
		*es = append(*es, e)
	case n == MaxErrors:
		*es = append(*es, Error{Code: TooMany, Message: "too many errors: the rest is not shown"})
	}
}

// Sort puts the errors in the order of the document, those of one place in the
// order in which they were found, and a TooMany last.
func (es Errors) Sort() {
	for i := range es {
		for j := i; j > 0 && es[j].before(&es[j-1]); j-- {
			es[j], es[j-1] = es[j-1], es[j]
		}
	}
}

func (e *Error) before(o *Error) bool {
	switch {
	case (e.Code == TooMany) != (o.Code == TooMany):
		return o.Code == TooMany
	case e.Line != o.Line:
		return e.Line < o.Line
	}
	return e.Column < o.Column
}
