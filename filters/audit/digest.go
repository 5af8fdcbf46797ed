package audit

import (
	"encoding/hex"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/sha256"
)

// Digests says which digest of content a record carries.
type Digests string

// The kinds of digests.
//
// None is the default for its price: SHA-256 in wasm costs 20 µs per KB on
// wazero and 10 µs per KB on V8 (Go 1.26, November 2026), so that a request and
// an answer of 2 KB each would cost as much as Envoy needs for the request.
const (
	None   Digests = "none"
	SHA256 Digests = "sha256"
)

// Config is the section `audit`.
type Config struct {
	Records bool
	Digests Digests
}

// Fields is the table of the section `audit`.
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.Bool("records", &c.Records, config.Default(true),
			config.Doc("Whether the record of each request is handed to the host, as filter state for its access log. Where no access log writes it, `false` saves a tenth of what the module costs.")),
		config.Enum("digests", &c.Digests, []Digests{None, SHA256}, config.Default(None),
			config.Doc("Whether records carry digests of the body that the client sent and of the body that it got, so that a text can be shown to be, or not to be, the one that passed. `sha256` costs about 10 µs of CPU per KB in Envoy.")),
	}
}

// Digest digests a body as it passes. A nil Digest takes everything and gives
// nothing.
type Digest struct{ h *sha256.Hash }

// NewDigest returns a digest, nil for None.
func NewDigest(d Digests) *Digest {
	if d != SHA256 {
		return nil
	}
	return &Digest{sha256.New()}
}

// Write adds bytes.
func (d *Digest) Write(b []byte) {
	if d != nil {
		d.h.Write(b)
	}
}

// Sum is the digest of what was written so far.
func (d *Digest) Sum() Sum {
	if d == nil {
		return Sum{}
	}
	s := Sum{set: true}
	d.h.Sum(s.sum[:0])
	return s
}

// Sum is a digest; the zero Sum is none.
type Sum struct {
	set bool
	sum [sha256.Size]byte
}

// put appends a sum as "sha256:…".
func (e *encoder) sum(s *Sum) {
	if s.set {
		e.b = append(e.b, `"sha256:`...)
		e.b = append(hex.AppendEncode(e.b, s.sum[:]), '"')
	}
}
