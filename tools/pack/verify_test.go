package pack

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/posterngw/postern/tools/pack/packtest"
)

func pair(t *testing.T) (*ecdsa.PrivateKey, *ecdsa.PublicKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key, &key.PublicKey
}

// served is a registry and a repository in it.
func served(t *testing.T) (*packtest.Registry, *remote.Repository) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	var r packtest.Registry
	s := httptest.NewServer(&r)
	t.Cleanup(s.Close)
	repository, err := Repository(strings.TrimPrefix(s.URL, "http://")+"/team/postern:v1.2.3", true)
	require.NoError(t, err)
	return &r, repository
}

// TestPush: pushed, verified, and pulled by a plain ORAS client.
func TestPush(t *testing.T) {
	wasm := packtest.Module("v1.2.3")
	key, public := pair(t)
	_, repository := served(t)
	b := fresh(t, Options{Wasm: wasm})
	require.NoError(t, b.Sign(key, Name(repository)))
	require.NoError(t, b.Push(t.Context(), repository))
	for _, reference := range []string{"v1.2.3", b.Image.Digest.String()} {
		got, err := Verify(t.Context(), repository, reference, public)
		require.NoError(t, err)
		require.Equal(t, b.Image.Digest, got.Image)
		require.Equal(t, wasm, got.Wasm)
		require.Len(t, got.Components, 1)
		require.Equal(t, b.Components.Digest, got.Components[0])
	}
	pulled := memory.New()
	d, err := oras.Copy(t.Context(), repository, "v1.2.3", pulled, "here", oras.DefaultCopyOptions)
	require.NoError(t, err)
	require.Equal(t, b.Image.Digest, d.Digest)
	require.NoError(t, b.Push(t.Context(), repository), "again")
}

// TestLayouts: a folder and an archive verify as a registry does.
func TestLayouts(t *testing.T) {
	key, public := pair(t)
	b := fresh(t, Options{})
	require.NoError(t, b.Sign(key, "postern"))
	dir := t.TempDir()
	require.NoError(t, b.WriteFolder(dir))
	var archive bytes.Buffer
	require.NoError(t, b.WriteTar(&archive))
	file := filepath.Join(t.TempDir(), "image.tar")
	require.NoError(t, os.WriteFile(file, archive.Bytes(), 0o600))
	folder, err := oci.NewFromFS(t.Context(), os.DirFS(dir))
	require.NoError(t, err)
	packed, err := oci.NewFromTar(t.Context(), file)
	require.NoError(t, err)
	for _, from := range []*oci.ReadOnlyStore{folder, packed} {
		tag, err := OnlyTag(t.Context(), from)
		require.NoError(t, err)
		got, err := Verify(t.Context(), from, tag, public)
		require.NoError(t, err)
		require.Equal(t, b.Image.Digest, got.Image)
		require.Len(t, got.Components, 1)
	}
}

// TestSignatureFormat reads the signature as cosign's specification describes
// it, with nothing but the standard library.
func TestSignatureFormat(t *testing.T) {
	key, public := pair(t)
	r, repository := served(t)
	b := fresh(t, Options{})
	require.NoError(t, b.Sign(key, "registry.example.com/postern"))
	require.NoError(t, b.Push(t.Context(), repository))
	_, manifest, ok := r.Get("team/postern", "sha256-"+b.Image.Digest.Encoded()+".sig")
	require.True(t, ok)
	var m struct {
		Layers []struct {
			MediaType, Digest string
			Annotations       map[string]string
		}
	}
	require.NoError(t, json.Unmarshal(manifest.Text, &m))
	require.Len(t, m.Layers, 1)
	require.Equal(t, "application/vnd.dev.cosign.simplesigning.v1+json", m.Layers[0].MediaType)
	_, text, ok := r.Get("team/postern", m.Layers[0].Digest)
	require.True(t, ok)
	require.JSONEq(t, `{"critical":{"identity":{"docker-reference":"registry.example.com/postern"},"image":{"docker-manifest-digest":"`+
		b.Image.Digest.String()+`"},"type":"cosign container image signature"},"optional":null}`, string(text.Text))
	signature, err := base64.StdEncoding.DecodeString(m.Layers[0].Annotations["dev.cosignproject.cosign/signature"])
	require.NoError(t, err)
	hash := sha256.Sum256(text.Text)
	require.True(t, ecdsa.VerifyASN1(public, hash[:], signature))
}

// TestTampered: whatever is changed after signing is found.
func TestTampered(t *testing.T) {
	key, public := pair(t)
	_, other := pair(t)
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	longer := func(b []byte) []byte { return append(b, ' ') }
	for name, change := range map[string]func(*packtest.Registry, *Bundle){
		"manifest": func(r *packtest.Registry, b *Bundle) { r.Change(b.Image.Digest.String(), flip) },
		"longer":   func(r *packtest.Registry, b *Bundle) { r.Change(b.Image.Digest.String(), longer) },
		"layer":    func(r *packtest.Registry, b *Bundle) { r.Change(b.named(t, b.Image, 0), flip) },
		"list":     func(r *packtest.Registry, b *Bundle) { r.Change(b.named(t, b.Components, 0), flip) },
		"payload": func(r *packtest.Registry, b *Bundle) {
			r.Change(b.named(t, b.at(t, signatureTag(b.Image.Digest)), 0), flip)
		},
		"other image under the tag": func(r *packtest.Registry, b *Bundle) {
			x := fresh(t, Options{Version: "evil"})
			r.Put("team/postern", b.Tag, packtest.Blob{Type: x.Image.MediaType, Text: x.text(x.Image)})
		},
		"other image's signature": func(r *packtest.Registry, b *Bundle) {
			x := b.at(t, signatureTag(b.Components.Digest))
			r.Put("team/postern", signatureTag(b.Image.Digest), packtest.Blob{Type: x.MediaType, Text: b.text(x)})
		},
		"no signature of the list": func(r *packtest.Registry, b *Bundle) {
			r.Put("team/postern", signatureTag(b.Components.Digest), packtest.Blob{Type: b.Image.MediaType, Text: []byte(`{"layers":[]}`)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, repository := served(t)
			b := fresh(t, Options{Wasm: packtest.Module("v1.2.3")})
			require.NoError(t, b.Sign(key, Name(repository)))
			require.NoError(t, b.Push(t.Context(), repository))
			_, err := Verify(t.Context(), repository, b.Tag, public)
			require.NoError(t, err)
			_, err = Verify(t.Context(), repository, b.Tag, other)
			require.ErrorIs(t, err, ErrUnsigned)
			change(r, b)
			_, err = Verify(t.Context(), repository, b.Tag, public)
			require.Error(t, err)
			t.Log(err)
		})
	}
}

// named is the digest of a manifest's layer.
func (b *Bundle) named(t *testing.T, d ocispec.Descriptor, layer int) string {
	var m ocispec.Manifest
	decode(t, b, d, &m)
	return m.Layers[layer].Digest.String()
}

// at is the manifest under a tag.
func (b *Bundle) at(t *testing.T, tag string) ocispec.Descriptor {
	for _, m := range b.manifests {
		if m.tag == tag {
			return m.Descriptor
		}
	}
	t.Fatal("no manifest ", tag)
	return ocispec.Descriptor{}
}

// TestSignedNonsense: a signature does not make an image of what is none.
func TestSignedNonsense(t *testing.T) {
	key, public := pair(t)
	second, _, err := layer(packtest.Module("v2"), time.Time{})
	require.NoError(t, err)
	for name, change := range map[string]func(b *Bundle, m *ocispec.Manifest){
		"two layers":   func(_ *Bundle, m *ocispec.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) },
		"raw layer":    func(_ *Bundle, m *ocispec.Manifest) { m.Layers[0].MediaType = "application/wasm" },
		"other module": func(b *Bundle, m *ocispec.Manifest) { m.Layers[0] = b.add(m.Layers[0].MediaType, second) },
		"no archive":   func(b *Bundle, m *ocispec.Manifest) { m.Layers[0] = b.add(m.Layers[0].MediaType, []byte("x")) },
		"huge layer":   func(_ *Bundle, m *ocispec.Manifest) { m.Layers[0].Size = maxBlob + 1 },
		"SHA-512": func(_ *Bundle, m *ocispec.Manifest) {
			m.Layers[0].Digest = "sha512:" + m.Layers[0].Digest[7:] + m.Layers[0].Digest[7:]
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, repository := served(t)
			b := fresh(t, Options{})
			var m ocispec.Manifest
			decode(t, b, b.Image, &m)
			change(b, &m)
			b.manifests = nil
			b.Image, err = b.addManifest(m, "bad")
			require.NoError(t, err)
			require.NoError(t, b.sign(key, "postern", b.Image.Digest))
			for _, x := range b.blobs {
				r.Put("team/postern", "", packtest.Blob{Type: x.MediaType, Text: x.text})
			}
			for _, x := range b.manifests {
				r.Put("team/postern", x.tag, packtest.Blob{Type: x.MediaType, Text: b.text(x.Descriptor)})
			}
			_, err := Verify(t.Context(), repository, "bad", public)
			require.Error(t, err)
			require.NotErrorIs(t, err, ErrUnsigned)
			t.Log(err)
		})
	}
}

// TestTwoKeys: a second signature leaves the first in place.
func TestTwoKeys(t *testing.T) {
	_, repository := served(t)
	var publics []*ecdsa.PublicKey
	for range 2 {
		key, public := pair(t)
		publics = append(publics, public)
		b := fresh(t, Options{Wasm: packtest.Module("v1.2.3")})
		require.NoError(t, b.Sign(key, Name(repository)))
		require.NoError(t, b.Push(t.Context(), repository))
	}
	for _, public := range publics {
		_, err := Verify(t.Context(), repository, "v1.2.3", public)
		require.NoError(t, err)
	}
}

// TestKeys: a key pair in cosign's format, and keys that are none.
func TestKeys(t *testing.T) {
	private, public, err := NewKeys([]byte("secret"))
	require.NoError(t, err)
	require.Contains(t, string(private), "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----")
	key, err := PrivateKey(private, []byte("secret"))
	require.NoError(t, err)
	_, err = PrivateKey(private, []byte("wrong"))
	require.ErrorIs(t, err, ErrPassword)
	read, err := PublicKey(public)
	require.NoError(t, err)
	require.True(t, key.PublicKey.Equal(read))

	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	plain := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	same, err := PrivateKey(plain, nil)
	require.NoError(t, err)
	require.True(t, key.Equal(same))

	large, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	der, err = x509.MarshalPKCS8PrivateKey(large)
	require.NoError(t, err)
	for _, text := range [][]byte{nil, public, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"}), []byte("text")} {
		_, err = PrivateKey(text, nil)
		require.ErrorIs(t, err, ErrKey)
	}
	der, err = x509.MarshalPKIXPublicKey(&large.PublicKey)
	require.NoError(t, err)
	for _, text := range [][]byte{nil, plain, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY"})} {
		_, err = PublicKey(text)
		require.ErrorIs(t, err, ErrKey)
	}
}

// TestOnlyTag: two images in one layout have to be named.
func TestOnlyTag(t *testing.T) {
	dir := t.TempDir()
	b := fresh(t, Options{})
	b.manifests = append(b.manifests, tagged{b.Image, "second"})
	require.NoError(t, b.WriteFolder(dir))
	from, err := oci.NewFromFS(t.Context(), os.DirFS(dir))
	require.NoError(t, err)
	_, err = OnlyTag(t.Context(), from)
	require.ErrorIs(t, err, ErrAmbiguous)
}
