package dialecttest

// Field is a member of an API's official request schema, with a value to try.
type Field struct {
	API     string // within the dialect
	Pointer string // JSON pointer (RFC 6901) in the dialect's own request
	Example string // JSON value
	// With are members that the field needs beside it, as one JSON object that is
	// merged into the request first; empty when it needs none.
	With string
}
