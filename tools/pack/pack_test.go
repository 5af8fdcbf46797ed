package pack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/pack/packtest"
)

// fresh is a bundle as New makes it.
func fresh(t *testing.T, o Options) *Bundle {
	if o.Wasm == nil {
		o.Wasm = packtest.Module("v1.2.3+meta")
	}
	b, err := New(o)
	require.NoError(t, err)
	return b
}

func decode(t *testing.T, b *Bundle, d ocispec.Descriptor, to any) {
	require.NoError(t, json.Unmarshal(b.text(d), to))
}

// TestImage holds what hosts rely on: one layer of the one type that all of
// them take, with plugin.wasm in it.
func TestImage(t *testing.T) {
	wasm := packtest.Module("v1.2.3+meta")
	b := fresh(t, Options{Wasm: wasm})
	var m ocispec.Manifest
	decode(t, b, b.Image, &m)
	require.Equal(t, 2, m.SchemaVersion)
	require.Equal(t, "application/vnd.oci.image.manifest.v1+json", m.MediaType)
	require.Len(t, m.Layers, 1)
	require.Equal(t, "application/vnd.oci.image.layer.v1.tar+gzip", m.Layers[0].MediaType)
	require.Equal(t, map[string]string{
		"org.opencontainers.image.title":    "postern",
		"org.opencontainers.image.version":  "v1.2.3+meta",
		"org.opencontainers.image.revision": "0123456789abcdef",
		"org.opencontainers.image.licenses": "Apache-2.0",
		"org.opencontainers.image.source":   "https://github.com/posterngw/postern",
	}, m.Annotations)
	require.Equal(t, "v1.2.3_meta", b.Tag)

	z, err := gzip.NewReader(bytes.NewReader(b.text(m.Layers[0])))
	require.NoError(t, err)
	require.True(t, z.ModTime.IsZero())
	require.Empty(t, z.Name)
	r := tar.NewReader(z)
	h, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, "plugin.wasm", h.Name)
	require.EqualValues(t, 0, h.ModTime.Unix())
	require.Zero(t, h.Uid+h.Gid)
	got, plain, err := unpack(b.text(m.Layers[0]))
	require.NoError(t, err)
	require.Equal(t, wasm, got)

	var config ocispec.Image
	decode(t, b, m.Config, &config)
	require.Equal(t, packtest.Digest(plain), string(config.RootFS.DiffIDs[0]))
	require.Nil(t, config.Created)
	require.Equal(t, "wasm", config.Architecture)
}

// TestCreated: a time is in all places or in none.
func TestCreated(t *testing.T) {
	at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	b := fresh(t, Options{Created: at})
	var m, list ocispec.Manifest
	decode(t, b, b.Image, &m)
	require.Equal(t, "2027-01-02T03:04:05Z", m.Annotations[ocispec.AnnotationCreated])
	decode(t, b, b.Components, &list)
	require.Equal(t, "2027-01-02T03:04:05Z", list.Annotations[ocispec.AnnotationCreated])
	require.Contains(t, string(b.SBOM), "2027-01-02T03:04:05Z")
	require.NotEqual(t, fresh(t, Options{}).Image.Digest, b.Image.Digest)
}

// TestVersions: the flag, what the module says, or that there is none.
func TestVersions(t *testing.T) {
	require.Equal(t, "2.0.0", fresh(t, Options{Version: "2.0.0"}).Version)
	require.Equal(t, "v1.2.3", fresh(t, Options{Wasm: packtest.Module("v1.2.3")}).Version)
	require.Equal(t, unknownVersion, fresh(t, Options{Wasm: packtest.Module("(devel)")}).Version)
	require.Equal(t, "edge", fresh(t, Options{Tag: "edge"}).Tag)
	_, err := New(Options{Wasm: []byte("\x00asm\x01\x00\x00\x00")})
	require.ErrorContains(t, err, "no build information")
}

// TestSBOM: the list names the module by its hash, Go, and the dependencies.
func TestSBOM(t *testing.T) {
	wasm := packtest.Module("v1.2.3")
	b := fresh(t, Options{Wasm: wasm})
	var bom cdx.BOM
	require.NoError(t, cdx.NewBOMDecoder(bytes.NewReader(b.SBOM), cdx.BOMFileFormatJSON).Decode(&bom))
	require.Equal(t, cdx.SpecVersion1_6, bom.SpecVersion)
	require.Equal(t, "pkg:golang/github.com/posterngw/postern@v1.2.3", bom.Metadata.Component.PackageURL)
	require.Equal(t, sum(wasm), (*bom.Metadata.Component.Hashes)[0].Value)
	var urls []string
	for _, c := range *bom.Components {
		urls = append(urls, c.PackageURL)
	}
	require.Equal(t, []string{"pkg:golang/std@1.26.0", "pkg:golang/example.test/dependency@v1.2.3"}, urls)
	require.Equal(t, urls, *(*bom.Dependencies)[0].Dependencies)

	var m ocispec.Manifest
	decode(t, b, b.Components, &m)
	require.Equal(t, b.Image.Digest, m.Subject.Digest)
	require.Equal(t, "application/vnd.cyclonedx+json", m.ArtifactType)
	require.NoError(t, describes(b.SBOM, wasm))
	require.ErrorIs(t, describes(b.SBOM, append(wasm, 0)), errOtherModule)
}

// TestReproducible: twice the same bytes, archive, index and signatures
// included, also of the module as it is built.
func TestReproducible(t *testing.T) {
	wasm, err := os.ReadFile(filepath.FromSlash("../../build/postern.wasm"))
	require.NoError(t, err, "run `make wasm` first")
	key, _ := pair(t)
	var archives [2]bytes.Buffer
	for i := range archives {
		b := fresh(t, Options{Wasm: wasm})
		require.NoError(t, b.Sign(key, "registry.example.com/postern"))
		require.NoError(t, b.WriteTar(&archives[i]))
	}
	require.Equal(t, packtest.Digest(archives[0].Bytes()), packtest.Digest(archives[1].Bytes()))
}

// TestWriteFolder: an image is replaced, anything else is not.
func TestWriteFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "image")
	require.NoError(t, fresh(t, Options{}).WriteFolder(dir))
	require.NoError(t, fresh(t, Options{Version: "2"}).WriteFolder(dir))
	index, err := os.ReadFile(filepath.Join(dir, "index.json"))
	require.NoError(t, err)
	require.Contains(t, string(index), `"org.opencontainers.image.ref.name":"2"`)
	require.NotContains(t, string(index), "v1.2.3")

	other := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(other, "a"), nil, 0o600))
	require.ErrorIs(t, fresh(t, Options{}).WriteFolder(other), ErrOccupied)
	require.Error(t, fresh(t, Options{}).WriteFolder(filepath.Join(other, "a")))
}

// FuzzUnpack: no layer makes it panic, and what it returns is a module.
func FuzzUnpack(f *testing.F) {
	packed, plain, err := layer(packtest.Module("v1"), time.Time{})
	require.NoError(f, err)
	f.Add(packed)
	f.Add(plain)
	f.Fuzz(func(t *testing.T, b []byte) {
		if wasm, _, err := unpack(b); err == nil {
			require.True(t, bytes.HasPrefix(wasm, []byte("\x00asm")))
		} else {
			require.ErrorIs(t, err, ErrLayer)
		}
	})
}
