package pack

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
)

// Why an image is not what it should be.
var (
	ErrUnsigned  = errors.New("there is no signature by this key")
	ErrImage     = errors.New("this is no image of a module")
	ErrSBOM      = errors.New("the list of components is wrong")
	ErrAmbiguous = errors.New("name one image by its tag")

	errOtherKey    = errors.New("a signature by another key")
	errOtherModule = errors.New("it is of another module")
)

// What is fetched at most.
const (
	maxManifest   = 4 << 20
	maxPayload    = 64 << 10
	maxBlob       = 64 << 20
	maxSignatures = 64
	maxReferrers  = 64
)

// Verified is an image that is what it says.
type Verified struct {
	Image       digest.Digest
	Annotations map[string]string
	Wasm        []byte
	Components  []digest.Digest // the artifacts that list them
}

// verifier reads one place.
type verifier struct {
	from oras.ReadOnlyGraphTarget
	key  *ecdsa.PublicKey
}

// Verify checks an image by its tag or digest: that everything has its digest,
// that it is signed by the key, that it holds one module, and that each list of
// components is signed as well and is of that module.
func Verify(ctx context.Context, from oras.ReadOnlyGraphTarget, reference string, key *ecdsa.PublicKey) (*Verified, error) {
	v := verifier{from, key}
	d, err := from.Resolve(ctx, reference)
	if err != nil {
		return nil, err
	}
	if err := v.signed(ctx, d); err != nil {
		return nil, err
	}
	m, err := v.manifest(ctx, d)
	if err != nil {
		return nil, err
	}
	wasm, err := v.module(ctx, m)
	if err != nil {
		return nil, err
	}
	lists, err := v.components(ctx, d, wasm)
	if err != nil {
		return nil, err
	}
	return &Verified{Image: d.Digest, Annotations: m.Annotations, Wasm: wasm, Components: lists}, nil
}

// fetch reads what a descriptor names, and no other bytes.
func (v *verifier) fetch(ctx context.Context, d ocispec.Descriptor, most int64) ([]byte, error) {
	if d.Size < 0 || d.Size > most {
		return nil, fmt.Errorf("%s has %d bytes, and may have %d", d.Digest, d.Size, most)
	}
	if d.Digest.Algorithm() != digest.SHA256 {
		return nil, fmt.Errorf("%q is no SHA-256", d.Digest)
	}
	return content.FetchAll(ctx, v.from, d)
}

func (v *verifier) manifest(ctx context.Context, d ocispec.Descriptor) (m ocispec.Manifest, err error) {
	if d.MediaType != ocispec.MediaTypeImageManifest {
		return m, fmt.Errorf("%w: %s is %q", ErrImage, d.Digest, d.MediaType)
	}
	text, err := v.fetch(ctx, d, maxManifest)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

// signed finds a signature of a manifest by the key.
func (v *verifier) signed(ctx context.Context, d ocispec.Descriptor) error {
	at, err := v.from.Resolve(ctx, signatureTag(d.Digest))
	if errors.Is(err, errdef.ErrNotFound) {
		return fmt.Errorf("%s: %w", d.Digest, ErrUnsigned)
	}
	if err != nil {
		return err
	}
	m, err := v.manifest(ctx, at)
	if err != nil {
		return err
	}
	failed := []error{fmt.Errorf("%s: %w", d.Digest, ErrUnsigned)}
	for _, l := range m.Layers[:min(len(m.Layers), maxSignatures)] {
		if err = v.signature(ctx, l, d.Digest); err == nil {
			return nil
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (v *verifier) signature(ctx context.Context, l ocispec.Descriptor, of digest.Digest) error {
	if l.MediaType != mediaTypePayload {
		return fmt.Errorf("%q is no signature", l.MediaType)
	}
	text, err := v.fetch(ctx, l, maxPayload)
	if err != nil {
		return err
	}
	return signed(l, text, of, v.key)
}

// module takes the module out of an image.
func (v *verifier) module(ctx context.Context, m ocispec.Manifest) ([]byte, error) {
	if len(m.Layers) != 1 || m.Layers[0].MediaType != ocispec.MediaTypeImageLayerGzip || m.Config.MediaType != ocispec.MediaTypeImageConfig {
		return nil, fmt.Errorf("%w: not one layer that is an archive", ErrImage)
	}
	text, err := v.fetch(ctx, m.Config, maxManifest)
	if err != nil {
		return nil, err
	}
	var config ocispec.Image
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrImage, err)
	}
	packed, err := v.fetch(ctx, m.Layers[0], maxBlob)
	if err != nil {
		return nil, err
	}
	wasm, plain, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(config.RootFS.DiffIDs, []digest.Digest{digest.FromBytes(plain)}) {
		return nil, fmt.Errorf("%w: its configuration names another layer", ErrImage)
	}
	return wasm, nil
}

// components checks the lists of components that refer to an image.
func (v *verifier) components(ctx context.Context, image ocispec.Descriptor, wasm []byte) (lists []digest.Digest, err error) {
	refer, err := v.from.Predecessors(ctx, image)
	if err != nil {
		return nil, err
	}
	if len(refer) > maxReferrers {
		return nil, fmt.Errorf("%w: %d refer to the image", ErrSBOM, len(refer))
	}
	for _, d := range refer {
		if d.MediaType != ocispec.MediaTypeImageManifest {
			continue // what kind it is, the manifest says: registries tell differently
		}
		found, err := v.list(ctx, d, image, wasm)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSBOM, err)
		}
		if found {
			lists = append(lists, d.Digest)
		}
	}
	return lists, nil
}

// list checks one; found is false if it is something else.
func (v *verifier) list(ctx context.Context, d, image ocispec.Descriptor, wasm []byte) (found bool, err error) {
	m, err := v.manifest(ctx, d)
	if err != nil || m.ArtifactType != mediaTypeSBOM {
		return false, err
	}
	if m.Subject == nil || m.Subject.Digest != image.Digest || len(m.Layers) != 1 {
		return false, errOtherModule
	}
	if err := v.signed(ctx, d); err != nil {
		return false, err
	}
	text, err := v.fetch(ctx, m.Layers[0], maxManifest)
	if err != nil {
		return false, err
	}
	return true, describes(text, wasm)
}

// OnlyTag is the tag of a layout's one image.
func OnlyTag(ctx context.Context, from interface {
	Tags(ctx context.Context, last string, fn func(tags []string) error) error
}) (string, error) {
	var images []string
	err := from.Tags(ctx, "", func(tags []string) error {
		for _, t := range tags {
			if !strings.HasSuffix(t, ".sig") {
				images = append(images, t)
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if len(images) != 1 {
		return "", fmt.Errorf("%w: there are %q", ErrAmbiguous, images)
	}
	return images[0], nil
}
