package pack

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What cosign calls the parts of a signature that lies beside an image.
const (
	mediaTypePayload    = "application/vnd.dev.cosign.simplesigning.v1+json"
	annotationSignature = "dev.cosignproject.cosign/signature"
	payloadType         = "cosign container image signature"
)

// payload is what is signed: "simple signing" of the containers project.
type payload struct {
	Critical struct {
		Identity struct {
			Reference string `json:"docker-reference"`
		} `json:"identity"`
		Image struct {
			Digest digest.Digest `json:"docker-manifest-digest"`
		} `json:"image"`
		Type string `json:"type"`
	} `json:"critical"`
	Optional map[string]any `json:"optional"`
}

// Sign adds signatures of the image and of its components. The repository, in
// which the image will be, is part of what is signed. The same key makes the
// same signature each time (RFC 6979).
func (b *Bundle) Sign(key *ecdsa.PrivateKey, repository string) error {
	for _, d := range []ocispec.Descriptor{b.Image, b.Components} {
		if err := b.sign(key, repository, d.Digest); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) sign(key *ecdsa.PrivateKey, repository string, d digest.Digest) error {
	var p payload
	p.Critical.Identity.Reference = repository
	p.Critical.Image.Digest = d
	p.Critical.Type = payloadType
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(text)
	signature, err := key.Sign(nil, hash[:], crypto.SHA256)
	if err != nil {
		return err
	}
	one := b.add(mediaTypePayload, text)
	one.Annotations = map[string]string{annotationSignature: base64.StdEncoding.EncodeToString(signature)}
	return b.addSignatures(d, []ocispec.Descriptor{one})
}

// addSignatures adds a manifest of signatures, with the image configuration that
// readers of images want.
func (b *Bundle) addSignatures(d digest.Digest, layers []ocispec.Descriptor) error {
	config := ocispec.Image{RootFS: ocispec.RootFS{Type: "layers"}}
	for _, l := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.Digest)
	}
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	_, err = b.addManifest(ocispec.Manifest{Config: b.add(ocispec.MediaTypeImageConfig, text), Layers: layers}, signatureTag(d))
	return err
}

// signatureTag is where the signatures of a manifest are.
func signatureTag(d digest.Digest) string {
	return strings.Replace(d.String(), ":", "-", 1) + ".sig"
}

// signed reports whether a layer of a manifest of signatures is one of d.
func signed(l ocispec.Descriptor, text []byte, d digest.Digest, key *ecdsa.PublicKey) error {
	signature, err := base64.StdEncoding.DecodeString(l.Annotations[annotationSignature])
	if err != nil {
		return err
	}
	hash := sha256.Sum256(text)
	if !ecdsa.VerifyASN1(key, hash[:], signature) {
		return errOtherKey
	}
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	if p.Critical.Type != payloadType || p.Critical.Image.Digest != d {
		return fmt.Errorf("it is of %s %q", p.Critical.Type, p.Critical.Image.Digest)
	}
	return nil
}
