package pack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// Repository is a registry's repository by a reference, with the credentials
// that docker login keeps. The reference's tag or digest stays in it.
func Repository(reference string, plainHTTP bool) (*remote.Repository, error) {
	r, err := remote.NewRepository(reference)
	if err != nil {
		return nil, err
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, err
	}
	r.PlainHTTP = plainHTTP
	r.Client = &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache(), Credential: credentials.Credential(store)}
	return r, nil
}

// Name is a repository's whole name, without tag or digest.
func Name(r *remote.Repository) string {
	return r.Reference.Registry + "/" + r.Reference.Repository
}

// Push pushes what the bundle holds. Signatures of the same manifests by other
// keys, that are in the repository already, stay there.
func (b *Bundle) Push(ctx context.Context, to *remote.Repository) error {
	if err := b.keepSignatures(ctx, to); err != nil {
		return fmt.Errorf("the signatures that are there: %w", err)
	}
	for _, x := range b.blobs {
		if x.MediaType == ocispec.MediaTypeImageManifest {
			continue // follows, when all that it names is there
		}
		if there, err := to.Exists(ctx, x.Descriptor); err != nil {
			return err
		} else if there {
			continue
		}
		if err := to.Push(ctx, x.Descriptor, bytes.NewReader(x.text)); err != nil {
			return err
		}
	}
	return b.pushManifests(ctx, to)
}

// pushManifests pushes the image last under its tag: who finds it there finds
// its signature, too.
func (b *Bundle) pushManifests(ctx context.Context, to *remote.Repository) error {
	if err := to.Push(ctx, b.Image, bytes.NewReader(b.text(b.Image))); err != nil {
		return err
	}
	for _, m := range slices.Backward(b.manifests) {
		text := bytes.NewReader(b.text(m.Descriptor))
		if m.tag == "" {
			if err := to.Push(ctx, m.Descriptor, text); err != nil {
				return err
			}
		} else if err := to.PushReference(ctx, m.Descriptor, text, m.tag); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) text(d ocispec.Descriptor) []byte {
	for _, x := range b.blobs {
		if x.Digest == d.Digest {
			return x.text
		}
	}
	return nil
}

// keepSignatures adds those to the bundle's manifests of signatures that a
// repository has under the same tags.
func (b *Bundle) keepSignatures(ctx context.Context, to *remote.Repository) error {
	for _, d := range []ocispec.Descriptor{b.Image, b.Components} {
		tag := signatureTag(d.Digest)
		i := slices.IndexFunc(b.manifests, func(m tagged) bool { return m.tag == tag })
		if i < 0 {
			continue
		}
		var ours ocispec.Manifest
		if err := json.Unmarshal(b.text(b.manifests[i].Descriptor), &ours); err != nil {
			return err
		}
		theirs, err := signaturesAt(ctx, to, tag)
		if err != nil {
			return err
		}
		all := unite(ours.Layers, theirs)
		if len(all) == len(ours.Layers) {
			continue
		}
		b.manifests = slices.Delete(b.manifests, i, i+1)
		if err := b.addSignatures(d.Digest, all); err != nil {
			return err
		}
	}
	return nil
}

// signaturesAt is the layers of a manifest of signatures, or none.
func signaturesAt(ctx context.Context, from *remote.Repository, tag string) ([]ocispec.Descriptor, error) {
	d, err := from.Resolve(ctx, tag)
	if errors.Is(err, errdef.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if d.Size > maxManifest {
		return nil, fmt.Errorf("%s has %d bytes", tag, d.Size)
	}
	text, err := content.FetchAll(ctx, from, d)
	if err != nil {
		return nil, err
	}
	var m ocispec.Manifest
	err = json.Unmarshal(text, &m)
	return m.Layers, err
}

// unite appends the signatures that are not among ours.
func unite(ours, theirs []ocispec.Descriptor) []ocispec.Descriptor {
	for _, l := range theirs {
		same := func(o ocispec.Descriptor) bool {
			return o.Digest == l.Digest && o.Annotations[annotationSignature] == l.Annotations[annotationSignature]
		}
		if !slices.ContainsFunc(ours, same) {
			ours = append(ours, l)
		}
	}
	return ours
}
