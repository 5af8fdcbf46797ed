package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"runtime/debug"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// mediaTypeSBOM is CycloneDX's registered one.
const mediaTypeSBOM = "application/vnd.cyclonedx+json"

// sbom lists what the module is made of, by what Go wrote into it.
func (o *Options) sbom(info *debug.BuildInfo) ([]byte, error) {
	main := component(cdx.ComponentTypeApplication, info.Main.Path, o.Version)
	main.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sum(o.Wasm)}}
	main.Licenses = &cdx.Licenses{{License: &cdx.License{ID: licence}}}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &main}
	if !o.Created.IsZero() {
		bom.Metadata.Timestamp = o.Created.UTC().Format(time.RFC3339)
	}
	parts := []cdx.Component{component(cdx.ComponentTypeLibrary, "std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		parts = append(parts, component(cdx.ComponentTypeLibrary, d.Path, d.Version))
	}
	var refs []string
	for _, p := range parts {
		refs = append(refs, p.BOMRef)
	}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	return out.Bytes(), err
}

// component is a Go module.
func component(kind cdx.ComponentType, path, version string) cdx.Component {
	url := "pkg:golang/" + path
	if version != "" {
		url += "@" + strings.ReplaceAll(version, "+", "%2B")
	}
	return cdx.Component{Type: kind, BOMRef: url, Name: path, Version: version, PackageURL: url}
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// describes reports whether a list is of the module.
func describes(sbom, wasm []byte) error {
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(sbom), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return err
	}
	if bom.Metadata == nil || bom.Metadata.Component == nil || bom.Metadata.Component.Hashes == nil {
		return errOtherModule
	}
	for _, h := range *bom.Metadata.Component.Hashes {
		if h.Algorithm == cdx.HashAlgoSHA256 && h.Value == sum(wasm) {
			return nil
		}
	}
	return errOtherModule
}

// addSBOM adds the list as an artifact that refers to the image.
func (b *Bundle) addSBOM(o Options) (ocispec.Descriptor, error) {
	file := b.add(mediaTypeSBOM, b.SBOM)
	file.Annotations = map[string]string{ocispec.AnnotationTitle: title + ".cdx.json"}
	empty := b.add(ocispec.MediaTypeEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
	m := ocispec.Manifest{ArtifactType: mediaTypeSBOM, Config: empty, Layers: []ocispec.Descriptor{file}, Subject: &b.Image}
	if !o.Created.IsZero() {
		m.Annotations = map[string]string{ocispec.AnnotationCreated: o.Created.UTC().Format(time.RFC3339)}
	}
	return b.addManifest(m, "")
}
