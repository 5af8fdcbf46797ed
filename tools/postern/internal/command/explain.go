package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/posterngw/postern/tools/explain"
)

// asked is what the flags of explain say.
type asked struct {
	request, path, principal, health, record string
	headers                                  []string
	asJSON                                   bool
}

func explainCommand(s Streams) *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:   "explain [FILE]",
		Short: "Tell where a request would go, and why",
		Long: `Decides about a request as the module would with the configuration in FILE,
sends nothing, and prints the decision: what the policies said, the plan with each
target's scores, the targets that were left out and why, and the estimated cost.

With --record it prints the decision that an audit record carries, instead.`,
		Example: `  postern explain postern.yaml --request request.json --principal team=search
  postern explain postern.yaml --request request.json --principal search-app --health health.json --json
  postern explain --record audit.jsonl`,
		Args: atMost(1, "explain wants one FILE"),
		RunE: runs(func(_ context.Context, args []string) error { return a.explain(s, args) }),
	}
	f := c.Flags()
	f.StringVar(&a.request, "request", "", "file with the request's body; - is the standard input")
	f.StringVar(&a.path, "path", "", "path of the request (default /v1/chat/completions)")
	f.StringArrayVar(&a.headers, "header", nil, "a header of the request, as NAME: VALUE; may be repeated")
	f.StringVar(&a.principal, "principal", "", "who asks: the id of a configured key, or attributes as in team=search,user=ada")
	f.StringVar(&a.health, "health", "", `file with the health of targets: {"TARGET": {"state": "open", "for": "30s", "cause": "overloaded", "first_token": "300ms", "per_token": "20ms"}}`)
	f.StringVar(&a.record, "record", "", "file whose last line is an audit record")
	f.BoolVar(&a.asJSON, "json", false, "print JSON")
	return c
}

func (a *asked) explain(s Streams, args []string) error {
	d, err := a.decide(s, args)
	if err != nil {
		return err
	}
	if !a.asJSON {
		_, err = fmt.Fprint(s.Out, d.Text())
		return err
	}
	e := json.NewEncoder(s.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

func (a *asked) decide(s Streams, args []string) (*explain.Decision, error) {
	switch {
	case a.record != "":
		text, err := read(s.In, a.record)
		if err != nil {
			return nil, err
		}
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		return explain.Read(lines[len(lines)-1])
	case len(args) == 0 || a.request == "":
		return nil, errors.New("explain wants a FILE and --request, or --record")
	}
	c := explain.Case{Name: args[0], Path: a.path, Principal: a.principal}
	var err error
	if c.Config, err = read(s.In, args[0]); err != nil {
		return nil, err
	}
	if c.Body, err = read(s.In, a.request); err != nil {
		return nil, err
	}
	for _, h := range a.headers {
		name, value, _ := strings.Cut(h, ":")
		c.Headers = append(c.Headers, [2]string{strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)})
	}
	if a.health != "" {
		text, err := read(s.In, a.health)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &c.Health); err != nil {
			return nil, fmt.Errorf("%s: %w", a.health, err)
		}
	}
	return explain.Explain(&c)
}
