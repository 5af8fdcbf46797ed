// Package authority makes certificates for tests against real proxies.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Authority signs certificates. Nothing trusts it but what is told to.
type Authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

// New makes an authority.
func New(t *testing.T) *Authority {
	t.Helper()
	template := template("authority")
	template.IsCA = true
	a := &Authority{}
	a.certificate, a.key = a.issue(t, template)
	return a
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true}
}

// issue makes a certificate with a key of its own; the first one signs itself.
func (a *Authority) issue(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	made, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return made, key
}

// Sign makes a server's certificate for a name.
func (a *Authority) Sign(t *testing.T, name string) tls.Certificate {
	t.Helper()
	template := template(name)
	template.DNSNames = []string{name}
	made, key := a.issue(t, template)
	return tls.Certificate{Certificate: [][]byte{made.Raw}, PrivateKey: key}
}

// Identity makes what a mesh gives a workload: a certificate for a URI, and its
// key, as PEM.
func (a *Authority) Identity(t *testing.T, uri string) (chain, key []byte) {
	t.Helper()
	at, err := url.Parse(uri)
	require.NoError(t, err)
	template := template("workload")
	template.URIs = []*url.URL{at}
	made, private := a.issue(t, template)
	der, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Raw}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// PEM is the authority's certificate, for Envoy to read.
func (a *Authority) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}))
}
