// Package pack makes the image by which proxies get the module: an OCI image of
// one layer that holds plugin.wasm, its list of components (SBOM), and
// signatures of both in cosign's format. It writes them as an OCI image layout,
// pushes them to a registry, and verifies what is in either.
//
// The same module, names and time make the same bytes, whoever packs them with
// the same Go release.
//
// It does not build the module, makes no images for containers, keeps no log of
// signatures, and knows no keys but ECDSA P-256 in files.
package pack

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/posterngw/postern/tools/slim"
)

// Options say what is packed.
type Options struct {
	Wasm    []byte
	Version string    // of the module; empty for what its build information says
	Tag     string    // under which the image is found; empty for the version
	Created time.Time // zero leaves it out
}

// The image's place in the world, for its annotations and its components.
const (
	title    = "postern"
	sourceOf = "https://github.com/posterngw/postern"
	licence  = "Apache-2.0"
)

// unknownVersion is that of a module which was not built from a release.
const unknownVersion = "0.0.0-dev"

// New packs a module.
func New(o Options) (*Bundle, error) {
	info, err := slim.BuildInfo(o.Wasm)
	if err != nil {
		return nil, fmt.Errorf("the module: %w", err)
	}
	o.Version = o.version(info)
	b := &Bundle{Version: o.Version, Tag: tagOf(o)}
	if b.Image, err = b.addImage(o, info); err != nil {
		return nil, err
	}
	if b.SBOM, err = o.sbom(info); err != nil {
		return nil, err
	}
	if b.Components, err = b.addSBOM(o); err != nil {
		return nil, err
	}
	return b, nil
}

func (o *Options) version(info *debug.BuildInfo) string {
	switch {
	case o.Version != "":
		return o.Version
	case info.Main.Version == "" || info.Main.Version == "(devel)":
		return unknownVersion
	}
	return info.Main.Version
}

func (b *Bundle) addImage(o Options, info *debug.BuildInfo) (none ocispec.Descriptor, err error) {
	packed, plain, err := layer(o.Wasm, o.Created)
	if err != nil {
		return none, err
	}
	config := ocispec.Image{
		Platform: ocispec.Platform{OS: "wasip1", Architecture: "wasm"},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(plain)}},
	}
	if !o.Created.IsZero() {
		config.Created = &o.Created
	}
	text, err := json.Marshal(config)
	if err != nil {
		return none, err
	}
	return b.addManifest(ocispec.Manifest{
		Config:      b.add(ocispec.MediaTypeImageConfig, text),
		Layers:      []ocispec.Descriptor{b.add(ocispec.MediaTypeImageLayerGzip, packed)},
		Annotations: o.annotations(info),
	}, b.Tag)
}

// annotations are those of the OCI image specification that are known.
func (o *Options) annotations(info *debug.BuildInfo) map[string]string {
	a := map[string]string{
		ocispec.AnnotationTitle:    title,
		ocispec.AnnotationVersion:  o.Version,
		ocispec.AnnotationLicenses: licence,
		ocispec.AnnotationSource:   sourceOf,
	}
	if r := revision(info); r != "" {
		a[ocispec.AnnotationRevision] = r
	}
	if !o.Created.IsZero() {
		a[ocispec.AnnotationCreated] = o.Created.UTC().Format(time.RFC3339)
	}
	return a
}

// revision is the commit that the module was built from, and of no other state.
func revision(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["vcs.modified"] != "false" {
		return ""
	}
	return settings["vcs.revision"]
}

// addManifest completes and adds a manifest.
func (b *Bundle) addManifest(m ocispec.Manifest, tag string) (none ocispec.Descriptor, err error) {
	m.Versioned = specs.Versioned{SchemaVersion: 2}
	m.MediaType = ocispec.MediaTypeImageManifest
	text, err := json.Marshal(m)
	if err != nil {
		return none, err
	}
	d := b.add(ocispec.MediaTypeImageManifest, text)
	d.ArtifactType = m.ArtifactType
	b.manifests = append(b.manifests, tagged{d, tag})
	return d, nil
}
