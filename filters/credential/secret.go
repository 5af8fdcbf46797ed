package credential

import (
	"fmt"
	"io"
)

// Secret is a text that is not shown: every way of printing or encoding it
// gives "[secret]". It holds a pointer, so that reflection that goes past its
// methods (fmt in a private field of another type) meets an address.
type Secret struct{ text *string }

const shown = "[secret]"

// NewSecret keeps a text secret.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal is the text, for the header that carries it and nothing else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String is "[secret]".
func (Secret) String() string { return shown }

// GoString is "[secret]", for %#v.
func (Secret) GoString() string { return shown }

// Format writes "[secret]" for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, shown) }

// MarshalText is "[secret]", for every encoder.
func (Secret) MarshalText() ([]byte, error) { return []byte(shown), nil }
