package command

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/tools/yamlconfig"
)

func keysCommand(s Streams) *cobra.Command {
	c := &cobra.Command{Use: "keys", Short: "Make API keys", RunE: func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())
	}}
	c.AddCommand(newKeyCommand(s, rand.Reader))
	return c
}

func newKeyCommand(s Streams, random io.Reader) *cobra.Command {
	k := newKey{}
	c := &cobra.Command{
		Use:   "new ID",
		Short: "Make an API key and print it once",
		Long: `Makes an API key and prints it, then the lines of postern.yaml that let it in.
They hold only a hash: the key itself is stored nowhere and cannot be shown
again. The first line of the output is the key alone.`,
		Example: "  postern keys new ci --organisation acme --team search --expires 2027-06-30T00:00:00Z",
		Args:    cobra.MatchAll(atLeast(1, wantsID), atMost(1, wantsID)),
		RunE: runs(func(_ context.Context, args []string) error {
			k.id = args[0]
			return k.print(s.Out, random)
		}),
	}
	for _, a := range k.attributes() {
		c.Flags().StringVar(a.value, a.name, "", a.help)
	}
	return c
}

const wantsID = "keys new wants one ID"

// newKey is what a key is to say of its owner.
type newKey struct {
	id                                                         string
	organisation, team, application, user, environment, expiry string
}

type attribute struct {
	name  string
	value *string
	help  string
}

func (k *newKey) attributes() []attribute {
	return []attribute{
		{identity.Organisation, &k.organisation, "organisation of the key's owner"},
		{identity.Team, &k.team, "team of the key's owner"},
		{identity.Application, &k.application, "application that uses the key"},
		{identity.User, &k.user, "user that the key belongs to"},
		{identity.Environment, &k.environment, "environment that the key is for"},
		{"expires", &k.expiry, "time from which on the key is refused (RFC 3339)"},
	}
}

// print makes the key. Nothing is printed unless the snippet is valid.
func (k *newKey) print(w io.Writer, random io.Reader) error {
	key, hash, err := identity.NewKey(random, k.id)
	if err != nil {
		return fmt.Errorf("%q: %w", k.id, err)
	}
	snippet := k.snippet(hash)
	if err := checkSnippet(snippet); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n\n# The key is the line above: it is shown once and stored nowhere.\n# This goes into postern.yaml:\n%s", key, snippet)
	return err
}

func (k *newKey) snippet(hash string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "identity:\n  keys:\n    %s:\n      hash: %s\n", quote(k.id), quote(hash))
	for _, a := range k.attributes() {
		if *a.value != "" {
			fmt.Fprintf(&b, "      %s: %s\n", a.name, quote(*a.value))
		}
	}
	return b.String()
}

// quote writes a text in the form that JSON and YAML share.
func quote(s string) string { return string(config.AppendQuoted(nil, s)) }

// checkSnippet holds the lines against the section that they are meant for.
func checkSnippet(text string) error {
	node, errs := yamlconfig.Parse("snippet", []byte(text))
	if len(errs) == 0 {
		var c identity.Config
		errs = config.Decode(node, []config.Field{config.Object("identity", &c, identity.Fields)})
	}
	for i := range errs {
		errs[i].Line = 0 // the snippet is not shown
	}
	return errs.Err()
}
