package identity

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/sha256"
)

const (
	secretBytes = 32
	secretText  = 43 // of base64url without padding
	hashPrefix  = "sha256:"
	// maxToken is the length of the longest token that can be a key.
	maxToken = config.MaxName + 1 + secretText
)

// ErrKeyID is the error of an id that no key may have.
var ErrKeyID = errors.New("a key's id has 1 to 128 characters of A-Z a-z 0-9 _ : / -")

// ValidKeyID reports whether s may be the id of a key: a name without a dot,
// so that a key has exactly one dot and is never taken for a JSON Web Token,
// which has two.
func ValidKeyID(s string) bool { return config.ValidName(s) && !strings.Contains(s, ".") }

// NewKey makes a key from 32 bytes of random. presented is what its owner
// sends and what nobody else may ever see; hash is what the configuration
// holds. The errors are ErrKeyID and those of random.
func NewKey(random io.Reader, id string) (presented, hash string, err error) {
	if !ValidKeyID(id) {
		return "", "", ErrKeyID
	}
	var raw [secretBytes]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", "", err
	}
	secret := base64.RawURLEncoding.EncodeToString(raw[:])
	sum := sha256.Sum256([]byte(secret))
	return id + "." + secret, hashPrefix + hex.EncodeToString(sum[:]), nil
}

var errHash = config.Problem("not the hash of a key: sha256: and 64 hexadecimal digits",
	"make a key and its hash with `postern keys new`")

func parseHash(s string) (sum [sha256.Size]byte, err error) {
	digits, ok := strings.CutPrefix(s, hashPrefix)
	if !ok || len(digits) != hex.EncodedLen(len(sum)) {
		return sum, errHash
	}
	if _, err := hex.Decode(sum[:], []byte(digits)); err != nil {
		return sum, errHash // hex's own error would repeat what may be a secret
	}
	return sum, nil
}
