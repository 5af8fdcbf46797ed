package pull

import (
	"archive/tar"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/pack"
	"github.com/posterngw/postern/tools/pack/packtest"
)

// pushed is an image in a registry that is not ours, signed.
type pushed struct {
	*pack.Bundle
	repository name.Repository
	module     []byte
	public     *ecdsa.PublicKey
}

func push(t *testing.T, options ...registry.Option) *pushed {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := httptest.NewServer(registry.New(append(options, registry.Logger(log.New(io.Discard, "", 0)))...))
	t.Cleanup(s.Close)
	p := &pushed{module: packtest.Module("v1.2.3")}
	var err error
	p.repository, err = name.NewRepository(strings.TrimPrefix(s.URL, "http://") + "/team/postern")
	require.NoError(t, err)
	private, public, err := pack.NewKeys([]byte("secret"))
	require.NoError(t, err)
	key, err := pack.PrivateKey(private, []byte("secret"))
	require.NoError(t, err)
	p.public, err = pack.PublicKey(public)
	require.NoError(t, err)
	p.Bundle, err = pack.New(pack.Options{Wasm: p.module})
	require.NoError(t, err)
	require.NoError(t, p.Sign(key, p.repository.Name()))
	to, err := pack.Repository(p.repository.Name(), true)
	require.NoError(t, err)
	require.NoError(t, p.Push(t.Context(), to))
	got, err := pack.Verify(t.Context(), to, "v1.2.3", p.public)
	require.NoError(t, err)
	require.Len(t, got.Components, 1)
	return p
}

// TestPull goes the way of Istio's puller, with the library that it uses.
func TestPull(t *testing.T) {
	p := push(t)
	image, err := remote.Image(p.repository.Tag("v1.2.3"))
	require.NoError(t, err)
	require.NoError(t, validate.Image(image))
	digest, err := image.Digest()
	require.NoError(t, err)
	require.Equal(t, p.Image.Digest.String(), digest.String())
	manifest, err := image.Manifest()
	require.NoError(t, err)
	require.NotEqual(t, types.DockerManifestSchema2, manifest.MediaType)
	layers, err := image.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 1)
	kind, err := layers[0].MediaType()
	require.NoError(t, err)
	require.Equal(t, types.OCILayer, kind)
	plain, err := layers[0].Uncompressed()
	require.NoError(t, err)
	archive := tar.NewReader(plain)
	h, err := archive.Next()
	require.NoError(t, err)
	require.Equal(t, "plugin.wasm", h.Name)
	got, err := io.ReadAll(archive)
	require.NoError(t, err)
	require.Equal(t, p.module, got)
}

// TestReferrers: a registry with the referrers API, and one without, tell of the list of
// components.
func TestReferrers(t *testing.T) {
	for _, api := range []bool{true, false} {
		p := push(t, registry.WithReferrersSupport(api))
		index, err := remote.Referrers(p.repository.Digest(p.Image.Digest.String()))
		require.NoError(t, err)
		manifest, err := index.IndexManifest()
		require.NoError(t, err)
		require.Len(t, manifest.Manifests, 1)
		require.Equal(t, p.Components.Digest.String(), manifest.Manifests[0].Digest.String())
	}
}

// TestSignature reads the signature as cosign does: an image of payloads under the
// digest's tag.
func TestSignature(t *testing.T) {
	p := push(t)
	signatures, err := remote.Image(p.repository.Tag("sha256-" + p.Image.Digest.Encoded() + ".sig"))
	require.NoError(t, err)
	manifest, err := signatures.Manifest()
	require.NoError(t, err)
	require.Len(t, manifest.Layers, 1)
	layer, err := signatures.LayerByDigest(manifest.Layers[0].Digest)
	require.NoError(t, err)
	text := compressed(t, layer)
	signature, err := base64.StdEncoding.DecodeString(manifest.Layers[0].Annotations["dev.cosignproject.cosign/signature"])
	require.NoError(t, err)
	hash := sha256.Sum256(text)
	require.True(t, ecdsa.VerifyASN1(p.public, hash[:], signature))
	var payload struct {
		Critical struct {
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &payload))
	require.Equal(t, p.Image.Digest.String(), payload.Critical.Image.Digest)
}

func compressed(t *testing.T, layer v1.Layer) []byte {
	r, err := layer.Compressed()
	require.NoError(t, err)
	defer r.Close()
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return text
}
