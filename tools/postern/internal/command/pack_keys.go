package command

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/posterngw/postern/tools/pack"
)

// passwordVariable is cosign's name for the password of a private key.
const passwordVariable = "COSIGN_PASSWORD"

func packKeysCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "keys [NAME]",
		Short: "Make a key pair to sign images with",
		Long: `Makes an ECDSA P-256 key pair in the files NAME.key and NAME.pub (default
postern), which cosign reads as well. The private key is encrypted with the
password in COSIGN_PASSWORD, which has to be set and may be empty. A file that
exists is not replaced.`,
		Example: "  COSIGN_PASSWORD=… postern pack keys release",
		Args:    cobra.MaximumNArgs(1),
		RunE: runs(func(_ context.Context, args []string) error {
			return makeKeys(s, append(args, "postern")[0])
		}),
	}
}

func makeKeys(s Streams, name string) error {
	password, set := os.LookupEnv(passwordVariable)
	if !set {
		return errors.New("set " + passwordVariable + " to the password of the private key (it may be empty)")
	}
	private, public, err := pack.NewKeys([]byte(password))
	if err != nil {
		return err
	}
	if err := writeNew(name+".key", private, 0o600); err != nil {
		return err
	}
	if err := writeNew(name+".pub", public, 0o644); err != nil {
		return errors.Join(err, os.Remove(name+".key"))
	}
	_, err = fmt.Fprintf(s.Out, "%s.key\n%s.pub\n", name, name)
	return err
}

// writeNew writes a file that was not there.
func writeNew(name string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func privateKey(name string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	key, err := pack.PrivateKey(text, []byte(os.Getenv(passwordVariable)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}
