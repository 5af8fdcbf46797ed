package rs256

import (
	"bytes"
	"encoding/base64"
	"math/bits"
	"strings"
)

// Error is why a key cannot be used. It says nothing of the key's text.
type Error string

// Error is the reason.
func (e Error) Error() string { return string(e) }

// The errors of this package.
const (
	ErrPEM   Error = "not a private key in PEM form"
	ErrDER   Error = "the PEM does not hold a private RSA key"
	ErrKey   Error = "the parts of the private key do not fit together"
	ErrSize  Error = "the RSA key has less than 2048 or more than 4096 bits"
	ErrFault Error = "the signature could not be verified with its own key"
)

// Bounds of a key.
const (
	maxText = 16 << 10 // bytes of PEM
	minBits = 2048
	maxBits = 4096
)

// Parse reads a private key: "PRIVATE KEY" (PKCS #8, RFC 5208) or "RSA PRIVATE
// KEY" (PKCS #1, RFC 8017). The errors are of type Error.
func Parse(pem string) (*Key, error) {
	for _, label := range []string{"PRIVATE KEY", "RSA PRIVATE KEY"} {
		der, ok := decodePEM(pem, label)
		if !ok {
			continue
		}
		r := reader{rest: der}
		if label == "PRIVATE KEY" {
			r = r.unwrap()
		}
		return r.key()
	}
	return nil, ErrPEM
}

// decodePEM is the bytes between the lines that name a label (RFC 7468).
func decodePEM(pem, label string) ([]byte, bool) {
	if len(pem) > maxText {
		return nil, false
	}
	_, rest, begins := strings.Cut(pem, "-----BEGIN "+label+"-----")
	text, _, ends := strings.Cut(rest, "-----END "+label+"-----")
	if !begins || !ends {
		return nil, false
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	return der, err == nil
}

// The DER tags that a key has.
const (
	tagInteger  = 0x02
	tagOctets   = 0x04
	tagNull     = 0x05
	tagOID      = 0x06
	tagSequence = 0x30
)

// rsaEncryption is the object identifier 1.2.840.113549.1.1.1.
var rsaEncryption = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}

// reader takes DER apart (ITU-T X.690); bad says that it did not have the form.
type reader struct {
	rest []byte
	bad  bool
}

// take is the contents of the next value, which must have the tag.
func (r *reader) take(tag byte) []byte {
	if len(r.rest) < 2 || r.rest[0] != tag {
		r.bad = true
		return nil
	}
	n, head := int(r.rest[1]), 2
	if n >= 0x80 {
		n, head = r.longLength(n & 0x7f)
	}
	if r.bad || n > len(r.rest)-head {
		r.bad = true
		return nil
	}
	v := r.rest[head : head+n]
	r.rest = r.rest[head+n:]
	return v
}

// longLength reads a length of one or two bytes, in its shortest form: no key
// has longer parts.
func (r *reader) longLength(size int) (n, head int) {
	if size < 1 || size > 2 || len(r.rest) < 2+size {
		r.bad = true
		return 0, 0
	}
	for _, b := range r.rest[2 : 2+size] {
		n = n<<8 | int(b)
	}
	r.bad = r.bad || n < 0x80 || size == 2 && n < 0x100
	return n, 2 + size
}

// integer is a natural number, big-endian and without leading zeros.
func (r *reader) integer() []byte {
	v := r.take(tagInteger)
	switch {
	case len(v) == 0 || v[0] >= 0x80, len(v) > 1 && v[0] == 0 && v[1] < 0x80:
		r.bad = true
	case v[0] == 0:
		v = v[1:]
	}
	return v
}

// unwrap is the RSA key inside a PKCS #8 one. Attributes after it are ignored.
func (r *reader) unwrap() reader {
	outer := reader{rest: r.take(tagSequence), bad: r.bad}
	version := outer.integer()
	kind := reader{rest: outer.take(tagSequence)}
	oid := kind.take(tagOID)
	null := kind.take(tagNull)
	inner := outer.take(tagOctets)
	bad := outer.bad || kind.bad || len(version) > 0 || len(null) > 0 || len(kind.rest) > 0 || !bytes.Equal(oid, rsaEncryption)
	return reader{rest: inner, bad: bad}
}

// key reads an RSAPrivateKey (RFC 8017, appendix A.1.2) of two primes.
func (r *reader) key() (*Key, error) {
	body := reader{rest: r.take(tagSequence), bad: r.bad}
	version := body.integer()
	n, e := body.integer(), body.integer()
	body.integer() // d: its remainders are used
	p, q, dp, dq, inverse := body.integer(), body.integer(), body.integer(), body.integer(), body.integer()
	if body.bad || r.bad || len(version) > 0 || len(body.rest) > 0 {
		return nil, ErrDER
	}
	if size := bitLength(n); size < minBits || size > maxBits {
		return nil, ErrSize
	}
	if !fits(n, e, p, q, dp, dq, inverse) {
		return nil, ErrKey
	}
	P := fromBytes(p)
	k := &Key{n: newModulus(fromBytes(n)), p: newModulus(P), q: newModulus(fromBytes(q)), size: len(n), e: fromBytes(e),
		dp: fromBytes(dp), dq: fromBytes(dq), inverse: remainder(fromBytes(inverse), P)}
	return k, nil
}

// bitLength is the number of bits of a number without leading zeros.
func bitLength(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	return 8*(len(b)-1) + bits.Len8(b[0])
}

// fits reports whether the parts are those of one key, as far as signing needs
// it to come to an end; Sign finds what is left.
func fits(n, e, p, q, dp, dq, inverse []byte) bool {
	odd := func(b []byte) bool { return len(b) > 0 && b[len(b)-1]&1 == 1 }
	switch {
	case !odd(n) || !odd(e) || !odd(p) || !odd(q), len(e) > 4 || len(e) == 1 && e[0] < 3:
		return false
	case len(p) < len(n)/4 || len(q) < len(n)/4, len(dp) > len(p) || len(dq) > len(q), len(inverse) > len(p):
		return false
	}
	return compare(multiply(fromBytes(p), fromBytes(q)), fromBytes(n)) == 0
}
