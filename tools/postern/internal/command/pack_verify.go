package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"

	"github.com/posterngw/postern/tools/pack"
)

// verifyOptions are the flags of pack verify.
type verifyOptions struct {
	key, wasm, tag string
	plainHTTP      bool
}

func packVerifyCommand(s Streams) *cobra.Command {
	o := &verifyOptions{}
	c := &cobra.Command{
		Use:   "verify IMAGE",
		Short: "Check an image's digest, signature and content",
		Long: `Checks an image: that every part of it has its digest, that the key signed it,
that it holds one module and nothing else, and that each list of components is
signed as well and is of that module. Prints the image's digest if all of that
is so; otherwise prints what is wrong, and the exit code is 1.

IMAGE is a reference in a registry, or an OCI image layout: a folder, or an
archive that ends in .tar.`,
		Example: `  postern pack verify --key postern.pub registry.example.com/postern:1.2.3
  postern pack verify --key postern.pub --wasm build/postern.wasm build/image`,
		Args: cobra.MatchAll(atLeast(1, wantsImage), atMost(1, wantsImage)),
		PreRunE: func(*cobra.Command, []string) error {
			if o.key == "" {
				return errors.New("pack verify wants --key")
			}
			return nil
		},
		RunE: runs(func(ctx context.Context, args []string) error { return o.run(ctx, s, args[0]) }),
	}
	f := c.Flags()
	f.StringVar(&o.key, "key", "", "`file` of the public key")
	f.StringVar(&o.wasm, "wasm", "", "`file` that the image's module has to equal")
	f.StringVar(&o.tag, "tag", "", "the `tag` of an image in a layout of several")
	f.BoolVar(&o.plainHTTP, "plain-http", false, "the registry has no TLS")
	return c
}

const wantsImage = "pack verify wants one IMAGE"

func (o *verifyOptions) run(ctx context.Context, s Streams, image string) error {
	text, err := os.ReadFile(o.key)
	if err != nil {
		return err
	}
	key, err := pack.PublicKey(text)
	if err != nil {
		return fmt.Errorf("%s: %w", o.key, err)
	}
	from, reference, err := o.open(ctx, image)
	if err != nil {
		return err
	}
	v, err := pack.Verify(ctx, from, reference, key)
	if err == nil {
		err = o.same(v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", image, err)
	}
	_, err = fmt.Fprintf(s.Out, "%s\nversion %s, %d bytes of module, lists of components: %d\n",
		v.Image, v.Annotations[ocispec.AnnotationVersion], len(v.Wasm), len(v.Components))
	return err
}

// same reports whether the image's module is the one that is expected.
func (o *verifyOptions) same(v *pack.Verified) error {
	if o.wasm == "" {
		return nil
	}
	want, err := os.ReadFile(o.wasm)
	if err == nil && !bytes.Equal(want, v.Wasm) {
		err = fmt.Errorf("its module is not %s", o.wasm)
	}
	return err
}

// open finds the image: in files if there are any of that name.
func (o *verifyOptions) open(ctx context.Context, image string) (from oras.ReadOnlyGraphTarget, reference string, err error) {
	info, err := os.Stat(image)
	if err != nil && !strings.HasSuffix(image, ".tar") {
		r, err := pack.Repository(image, o.plainHTTP)
		if err != nil {
			return nil, "", err
		}
		return r, first(r.Reference.Reference, "latest"), nil
	}
	if err != nil {
		return nil, "", err
	}
	var layout *oci.ReadOnlyStore
	if info.IsDir() {
		layout, err = oci.NewFromFS(ctx, os.DirFS(image))
	} else {
		layout, err = oci.NewFromTar(ctx, image)
	}
	if err != nil || o.tag != "" {
		return layout, o.tag, err
	}
	reference, err = pack.OnlyTag(ctx, layout)
	return layout, reference, err
}
