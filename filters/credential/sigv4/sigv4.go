// Package sigv4 signs requests to AWS (Signature Version 4, with the headers
// carrying the signature).
//
// It encodes the path once more than it is on the wire, as every service but S3
// wants it, and signs exactly the headers that it is given. It signs no query
// string and no chunks, has no asymmetric variant, and finds no keys.
package sigv4

import (
	"encoding/hex"
	"time"

	"github.com/posterngw/postern/filters/sha256"
	"github.com/posterngw/postern/filters/wire/percent"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
)

// Signer signs for one service in one region. It is not safe for concurrent
// use: it remembers the key that it derived for the day.
type Signer struct {
	Region, Service string
	// KeepPath leaves dot segments and doubled slashes in the path, which
	// services other than S3 have normalized.
	KeepPath bool

	day    string
	secret string
	key    [sha256.Size]byte
	text   []byte
}

// Keys are credentials of AWS. Token is the session token of temporary ones.
type Keys struct{ ID, Secret, Token string }

// Request is what is signed.
type Request struct {
	Method string
	Target string      // path and query, as they are sent
	Header [][2]string // what is signed: lower-case names, host among them
	Sum    [sha256.Size]byte
	Now    time.Time
}

// Headers appends x-amz-date, the session token if there is one, and the
// authorization, over these and over the headers of the request.
func (s *Signer) Headers(dst [][2]string, r *Request, k *Keys) [][2]string {
	stamp := timestamp(r.Now)
	added := len(dst)
	dst = append(dst, [2]string{"x-amz-date", stamp})
	if k.Token != "" {
		dst = append(dst, [2]string{"x-amz-security-token", k.Token})
	}
	signed := sortHeaders(r.Header, dst[added:])
	names := signedNames(signed)

	day := stamp[:8]
	scope := day + "/" + s.Region + "/" + s.Service + "/" + terminator
	s.text = s.canonical(s.text[:0], r, signed, names)
	sum := sha256.Sum256(s.text)
	s.text = append(s.text[:0], algorithm+"\n"+stamp+"\n"+scope+"\n"...)
	s.text = hex.AppendEncode(s.text, sum[:])

	s.derive(day, k.Secret)
	mac := sha256.HMAC(s.key[:], s.text)
	return append(dst, [2]string{"authorization", algorithm + " Credential=" + k.ID + "/" + scope +
		", SignedHeaders=" + names + ", Signature=" + hex.EncodeToString(mac[:])})
}

// derive makes the signing key of a day.
func (s *Signer) derive(day, secret string) {
	if s.day == day && s.secret == secret {
		return
	}
	s.key = sha256.HMAC([]byte("AWS4"+secret), []byte(day))
	for _, part := range []string{s.Region, s.Service, terminator} {
		s.key = sha256.HMAC(s.key[:], []byte(part))
	}
	s.day, s.secret = day, secret
}

// canonical writes the canonical request.
func (s *Signer) canonical(dst []byte, r *Request, signed [][2]string, names string) []byte {
	path, query := cutTarget(r.Target)
	dst = append(append(dst, r.Method...), '\n')
	if !s.KeepPath {
		path = normalize(path)
	}
	dst = append(percent.AppendPath(dst, path), '\n')
	dst = append(appendQuery(dst, query), '\n')
	dst = append(appendHeaders(dst, signed), '\n')
	dst = append(append(dst, names...), '\n')
	return hex.AppendEncode(dst, r.Sum[:])
}

// timestamp is the basic form of ISO 8601 in UTC, as in 20150830T123600Z.
func timestamp(t time.Time) string {
	year, month, day := t.UTC().Date()
	hour, minute, second := t.UTC().Clock()
	b := appendDigits(make([]byte, 0, 16), year, 4)
	b = appendDigits(appendDigits(b, int(month), 2), day, 2)
	b = append(b, 'T')
	b = appendDigits(appendDigits(appendDigits(b, hour, 2), minute, 2), second, 2)
	return string(append(b, 'Z'))
}

func appendDigits(dst []byte, n, width int) []byte {
	for div := [...]int{1, 10, 100, 1000}[width-1]; div > 0; div /= 10 {
		dst = append(dst, '0'+byte(n/div%10))
	}
	return dst
}
