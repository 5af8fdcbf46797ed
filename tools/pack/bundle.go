package pack

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Bundle is an image with what belongs to it, ready to be written.
type Bundle struct {
	Version, Tag      string
	Image, Components ocispec.Descriptor // manifests: of the image, of its components
	SBOM              []byte

	blobs     []blob // in order: what is named by another comes before it
	manifests []tagged
}

type blob struct {
	ocispec.Descriptor
	text []byte
}

type tagged struct {
	ocispec.Descriptor
	tag string // may be empty
}

// add adds bytes once.
func (b *Bundle) add(mediaType string, text []byte) ocispec.Descriptor {
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(text), Size: int64(len(text))}
	if !slices.ContainsFunc(b.blobs, func(x blob) bool { return x.Digest == d.Digest }) {
		b.blobs = append(b.blobs, blob{d, text})
	}
	return d
}

// noTag is what a tag may not hold (OCI distribution specification).
var noTag = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// maxTag is the longest tag.
const maxTag = 128

// tagOf is the image's tag: a version may hold more than a tag may.
func tagOf(o Options) string {
	if o.Tag != "" {
		return o.Tag
	}
	tag := strings.TrimLeft(noTag.ReplaceAllString(o.Version, "_"), ".-")
	return tag[:min(len(tag), maxTag)]
}

// file is one of an image layout.
type file struct {
	name string
	text []byte
}

// layout is the files of an image layout, by name but for the index, which
// comes last: without it a layout that is half written has nothing.
func (b *Bundle) layout() ([]file, error) {
	var files []file
	for _, x := range b.blobs {
		files = append(files, file{"blobs/sha256/" + x.Digest.Encoded(), x.text})
	}
	slices.SortFunc(files, func(x, y file) int { return strings.Compare(x.name, y.name) })
	version, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	if err != nil {
		return nil, err
	}
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	for _, m := range b.manifests {
		if m.tag != "" {
			m.Annotations = map[string]string{ocispec.AnnotationRefName: m.tag}
		}
		index.Manifests = append(index.Manifests, m.Descriptor)
	}
	list, err := json.Marshal(index)
	return append(files, file{ocispec.ImageLayoutFile, version}, file{ocispec.ImageIndexFile, list}), err
}

// ErrOccupied says that a folder holds something else.
var ErrOccupied = errors.New("the folder is not empty and holds no image")

// WriteFolder writes an image layout. An older one in the same folder is
// replaced; what its index alone named stays behind.
func (b *Bundle) WriteFolder(dir string) error {
	files, err := b.layout()
	if err != nil {
		return err
	}
	if err := usable(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := WriteFile(filepath.Join(dir, filepath.FromSlash(f.name)), f.text); err != nil {
			return err
		}
	}
	return nil
}

// usable reports whether a layout may be written into a folder.
func usable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, ocispec.ImageLayoutFile)); err != nil {
		return fmt.Errorf("%s: %w", dir, ErrOccupied)
	}
	return nil
}

// WriteFile writes a file whole or not at all.
func WriteFile(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // which is gone when all went well
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// WriteTar writes an image layout as an archive.
func (b *Bundle) WriteTar(w io.Writer) error {
	files, err := b.layout()
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	for _, f := range files {
		h := tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o644, Size: int64(len(f.text)), Format: tar.FormatUSTAR}
		if err := t.WriteHeader(&h); err != nil {
			return err
		}
		if _, err := t.Write(f.text); err != nil {
			return err
		}
	}
	return t.Close()
}
