// Package state leads requests to the provider that keeps what they refer to: a
// response to go on from, a conversation, a file, a batch, a container.
//
// The ids of such things mean something to one provider alone. So an id that
// leaves through the gateway carries a mark behind it, which says who made it:
//
//	resp_68e2…_pstk5wq2mzy7tq3xcfn
//
// The mark is "_pst" and 80 bits of HMAC-SHA256 over the provider's name and the
// id, in base32. It holds no more than that: whoever has the key finds the
// provider by trying the names, on any worker and after any restart, and nobody
// else can make one. In a request marks are held against the configured
// providers and taken off.
//
// Ids are found by how JSON is written, not by the schema of an API: a string
// under a member that is called "id", or ends in "_id" or "_ids", or is one of a
// few more names, and that begins as the dialect's ids do; in paths also what stands
// behind a kind of them ("files/"). What applications and
// models write themselves is left alone: text is in strings, and the objects
// metadata, input, args and those of schemas are passed over.
//
// The package stores nothing, keeps no tenants apart, and does not look into
// files: ids in the lines of a batch's input are as they are.
package state

import (
	"bytes"
	"crypto/subtle"
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/credential"
	"github.com/posterngw/postern/filters/sha256"
)

// Config is the section `state`.
type Config struct {
	Key string
}

const envPrefix = "env:"

// Fields is the table of the section.
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.String("key", &c.Key, config.Check(checkKey), config.Example("env:POSTERN_STATE_KEY"),
			config.Doc("A reference to the secret that signs ids, `env:NAME`: at least 16 characters, the same for all workers and gateways. "+
				"With it, ids of what a provider keeps (responses, conversations, files, batches) carry a mark that leads back to that provider, "+
				"where several providers could serve; without it they are passed as they are.")),
	}
}

var errKey = config.Problem("not a reference to a secret; never write the secret itself", "write env:NAME")

func checkKey(ref string) error {
	if !strings.HasPrefix(ref, envPrefix) || credential.CheckRefs([]string{ref}) != nil {
		return errKey
	}
	return nil
}

// Variable is the name of the environment that the module reads; empty when none.
func (c *Config) Variable() string { return strings.TrimPrefix(c.Key, envPrefix) }

// minSecret is the least length of a secret.
const minSecret = 16

var errShort = config.Problem("the secret of `state.key` is missing or shorter than 16 characters", "set the variable in the environment of the VM")

// New makes the key; nil when none is configured.
func New(c *Config, env func(name string) string) (*Key, error) {
	if c.Key == "" {
		return nil, nil
	}
	secret := strings.Trim(env(c.Variable()), " \t\r\n")
	if len(secret) < minSecret {
		return nil, errShort
	}
	return &Key{secret: sha256.Sum256([]byte(secret))}, nil
}

// Key signs ids.
type Key struct{ secret [sha256.Size]byte }

const (
	tag     = "_pst"
	macSize = 10 // bytes of the digest: 16 characters
	// MarkLen is how long a mark is.
	MarkLen = len(tag) + macSize*8/5
)

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// Mark appends the mark of an id that a provider made. Of an id of the form kind/id,
// which is also told with more before the kind or without it, the last part counts.
func (k *Key) Mark(dst []byte, provider string, id []byte) []byte {
	id = id[bytes.LastIndexByte(id, '/')+1:]
	text := append(append(append(make([]byte, 0, 160), provider...), 0), id...)
	sum := sha256.HMAC(k.secret[:], text)
	dst = append(dst, tag...)
	bits, n := uint32(0), 0
	for _, b := range sum[:macSize] {
		bits, n = bits<<8|uint32(b), n+8
		for ; n >= 5; n -= 5 {
			dst = append(dst, alphabet[bits>>(n-5)&31])
		}
	}
	return dst
}

// split takes the mark off an id; ok is false when it has none.
func split[T []byte | string](marked T) (id, mark T, ok bool) {
	at := len(marked) - MarkLen
	if at <= 0 || string(marked[at:at+len(tag)]) != tag {
		return marked, mark, false
	}
	for i := at + len(tag); i < len(marked); i++ {
		if c := marked[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return marked, mark, false
		}
	}
	return marked[:at], marked[at:], true
}

// made reports whether a mark says that the provider made the id.
func (k *Key) made(provider string, id, mark []byte) bool {
	var room [MarkLen]byte
	return subtle.ConstantTimeCompare(k.Mark(room[:0], provider, id), mark) == 1
}
