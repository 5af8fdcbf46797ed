// Package rs256 signs as JSON Web Tokens of the kind RS256 are signed
// (RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017), with a key from a PEM text.
//
// It is for a gateway that signs one short text an hour with a key of its own.
// crypto/rsa and math/big are not used: math/big alone is 157 KB of module, and
// crypto/rsa brings the FIPS 140 module of Go along.
//
// The time that a signature takes depends on the key. That is bearable here
// since nobody outside decides what is signed, when, or how often, nor sees how
// long it takes: it happens once before a token expires. So there is no
// blinding, either. Do not use the package to sign or decrypt what strangers
// hand in. A result is verified before it leaves, since a fault in one of the
// two halves of the computation would give the key away.
//
// The package verifies no signatures of others, makes no keys and knows no
// other padding or hash.
package rs256

import "github.com/posterngw/postern/filters/sha256"

// Key is a private key, ready to sign.
type Key struct {
	n, p, q *modulus
	dp, dq  number
	inverse number // of q modulo p
	e       number
	size    int // bytes of n
}

// prefix is the DER of a DigestInfo for SHA-256, up to the digest (RFC 8017,
// section 9.2, note 1).
var prefix = [...]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// Sign signs a message. The only error is ErrFault.
func (k *Key) Sign(message []byte) ([]byte, error) {
	m := fromBytes(k.pad(sha256.Sum256(message)))
	s := k.private(m)
	if compare(k.n.exp(s, k.e), m) != 0 {
		return nil, ErrFault
	}
	return s.bytes(k.size), nil
}

// pad is EMSA-PKCS1-v1_5 (section 9.2): 00 01 FF … FF 00 and the DigestInfo.
func (k *Key) pad(sum [sha256.Size]byte) []byte {
	b := make([]byte, k.size)
	b[1] = 1
	info := b[k.size-len(prefix)-len(sum):]
	for i := 2; i < k.size-len(info)-1; i++ {
		b[i] = 0xff
	}
	copy(info[copy(info, prefix[:]):], sum[:])
	return b
}

// private raises m to the private exponent, by its remainders modulo p and q
// (section 5.2.1, step 2b).
func (k *Key) private(m number) number {
	m1 := k.p.exp(remainder(m, k.p.m), k.dp)
	m2 := k.q.exp(remainder(m, k.q.m), k.dq)
	h := k.p.times(k.p.minus(m1, remainder(m2, k.p.m)), k.inverse)
	return plus(multiply(h, k.q.m), m2)
}
