package pack

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
)

// The kinds of PEM blocks that keys are in. cosign reads both names of
// encrypted keys and writes the first.
const (
	pemEncrypted       = "ENCRYPTED SIGSTORE PRIVATE KEY"
	pemEncryptedBefore = "ENCRYPTED COSIGN PRIVATE KEY"
	pemPrivate         = "PRIVATE KEY"
	pemPublic          = "PUBLIC KEY"
)

// ErrKey says that a file holds no key that can be used.
var ErrKey = errors.New("not an ECDSA P-256 key in PEM")

// ErrPassword says that a private key did not open.
var ErrPassword = errors.New("the private key does not open with this password")

// NewKeys makes a key pair in cosign's files: the private one is encrypted.
func NewKeys(password []byte) (private, public []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	sealed, err := encrypted.Encrypt(der, password)
	if err != nil {
		return nil, nil, err
	}
	if der, err = x509.MarshalPKIXPublicKey(&key.PublicKey); err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemEncrypted, Bytes: sealed}), pem.EncodeToMemory(&pem.Block{Type: pemPublic, Bytes: der}), nil
}

// PrivateKey reads a private key: cosign's, or PKCS #8 that is not encrypted.
func PrivateKey(text, password []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, ErrKey
	}
	der := block.Bytes
	switch block.Type {
	case pemPrivate:
	case pemEncrypted, pemEncryptedBefore:
		var err error
		if der, err = encrypted.Decrypt(der, password); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPassword, err)
		}
	default:
		return nil, fmt.Errorf("%w: %s", ErrKey, block.Type)
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if key, ok := any.(*ecdsa.PrivateKey); ok && key.Curve == elliptic.P256() {
		return key, nil
	}
	return nil, ErrKey
}

// PublicKey reads a public key.
func PublicKey(text []byte) (*ecdsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemPublic {
		return nil, ErrKey
	}
	any, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if key, ok := any.(*ecdsa.PublicKey); ok && key.Curve == elliptic.P256() {
		return key, nil
	}
	return nil, ErrKey
}
