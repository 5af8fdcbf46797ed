package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/posterngw/postern/tools/pack"
	"github.com/posterngw/postern/tools/postern/internal/module"
)

// packOptions are the flags of pack.
type packOptions struct {
	wasm, output, push, sign, version, sbom string
	plainHTTP                               bool
	to                                      *remote.Repository // nil without --push
}

func packCommand(s Streams) *cobra.Command {
	o := &packOptions{}
	c := &cobra.Command{
		Use:   "pack",
		Short: "Make, sign and verify the module's OCI image",
		Long: `Makes the OCI image by which proxies get the module (Istio's WasmPlugin pulls
it): one layer with plugin.wasm, and a list of what the module is made of
(CycloneDX) that refers to it. Prints the image's digest, which is the same for
the same module, version and Go release.

The image is written as an OCI image layout, into a folder or, if the name ends
in .tar, an archive; the list is written beside it, as NAME.cdx.json. --push
sends both to a registry, with the credentials of docker login. --sign signs
both with a key of 'postern pack keys' or of cosign, whose password is in
COSIGN_PASSWORD.

A time is in the image only if SOURCE_DATE_EPOCH is set.`,
		Example: `  postern pack --output build/image
  postern pack --sign postern.key --push registry.example.com/postern:1.2.3`,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return o.misused() },
		RunE:    runs(func(ctx context.Context, _ []string) error { return o.run(ctx, s) }),
	}
	f := c.Flags()
	f.StringVar(&o.wasm, "wasm", "", "the module's `file` (default "+module.Default+", here or beside this program)")
	f.StringVar(&o.output, "output", "", "`folder` or .tar to write the image to")
	f.StringVar(&o.push, "push", "", "`reference` in a registry to push to; its tag is the version by default")
	f.StringVar(&o.sign, "sign", "", "`file` of the private key to sign with")
	f.StringVar(&o.version, "version", "", "the module's `version` (default: the one it was built as)")
	f.StringVar(&o.sbom, "sbom", "", "`file` to write the list of components to")
	f.BoolVar(&o.plainHTTP, "plain-http", false, "the registry has no TLS")
	c.AddCommand(packKeysCommand(s), packVerifyCommand(s))
	return c
}

// misused reports flags that do not fit together.
func (o *packOptions) misused() (err error) {
	if o.output == "" && o.push == "" {
		return errors.New("pack wants --output or --push")
	}
	if o.push == "" {
		return nil
	}
	if o.to, err = pack.Repository(o.push, o.plainHTTP); err != nil {
		return err
	}
	if strings.Contains(o.push, "@") {
		return errors.New("--push: a digest is found out, not asked for")
	}
	return nil
}

func (o *packOptions) run(ctx context.Context, s Streams) error {
	b, err := o.bundle(ctx, s)
	if err != nil {
		return err
	}
	if err := o.signed(b); err != nil {
		return err
	}
	if err := o.write(s, b); err != nil {
		return err
	}
	if o.to != nil {
		if err := b.Push(ctx, o.to); err != nil {
			return err
		}
		fmt.Fprintf(s.Err, "postern: pushed %s:%s\n", pack.Name(o.to), b.Tag)
	}
	_, err = fmt.Fprintln(s.Out, b.Image.Digest)
	return err
}

func (o *packOptions) bundle(ctx context.Context, s Streams) (*pack.Bundle, error) {
	created, err := sourceDate()
	if err != nil {
		return nil, err
	}
	path, err := findModule(ctx, s, o.wasm)
	if err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	options := pack.Options{Wasm: wasm, Version: o.version, Created: created}
	if o.to != nil {
		options.Tag = o.to.Reference.Reference
	}
	return pack.New(options)
}

// sourceDate is the time that reproducible builds take for now; zero if none.
func sourceDate() (none time.Time, err error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return none, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 {
		return none, fmt.Errorf("SOURCE_DATE_EPOCH: %q is no number of seconds", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// nowhere is the repository that is signed for an image without one.
const nowhere = "postern"

func (o *packOptions) signed(b *pack.Bundle) error {
	if o.sign == "" {
		return nil
	}
	key, err := privateKey(o.sign)
	if err != nil {
		return err
	}
	repository := nowhere
	if o.to != nil {
		repository = pack.Name(o.to)
	}
	return b.Sign(key, repository)
}

// write writes the files that are asked for.
func (o *packOptions) write(s Streams, b *pack.Bundle) error {
	sbom := o.sbom
	if o.output != "" {
		if err := writeImage(o.output, b); err != nil {
			return err
		}
		fmt.Fprintf(s.Err, "postern: wrote %s\n", o.output)
		sbom = first(sbom, strings.TrimSuffix(filepath.Clean(o.output), ".tar")+".cdx.json")
	}
	if sbom == "" {
		return nil
	}
	fmt.Fprintf(s.Err, "postern: wrote %s\n", sbom)
	return pack.WriteFile(sbom, b.SBOM)
}

func writeImage(to string, b *pack.Bundle) error {
	if !strings.HasSuffix(to, ".tar") {
		return b.WriteFolder(to)
	}
	var archive bytes.Buffer
	if err := b.WriteTar(&archive); err != nil {
		return err
	}
	return pack.WriteFile(to, archive.Bytes())
}
