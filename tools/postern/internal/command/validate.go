package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/tools/postern/internal/check"
)

func validateCommand(s Streams) *cobra.Command {
	asJSON, resources := false, []string(nil)
	c := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check configurations",
		Long: `Checks each postern.yaml for everything that the module would refuse at its
start, but for keys that are not in the environment, and for what it would
accept and cannot be meant: rules that never hold, models that nobody may use,
chains of targets that cannot help. Prints one line for each finding:

  FILE:LINE:COLUMN: /pointer: message (what to do)

With --resources it also holds Istio's resources against the configuration,
before they are applied: give everything that belongs to the gateway.

The exit code is 1 if there is an error; warnings alone are no error. A FILE of
- is the standard input.`,
		Example: "  postern validate postern.yaml\n  postern validate --json *.yaml\n  postern validate postern.yaml --resources mesh/",
		Args:    atLeast(1, "validate wants a FILE"),
		RunE: runs(func(_ context.Context, args []string) error {
			return validate(s, args, resources, asJSON)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document instead of lines")
	c.Flags().StringSliceVar(&resources, "resources", nil, "files or folders of Istio resources to hold against the configuration")
	return c
}

// finding is one error or warning, as --json prints it.
type finding struct {
	File     string      `json:"file"`
	Severity string      `json:"severity"` // error, warning
	Line     int         `json:"line,omitempty"`
	Column   int         `json:"column,omitempty"`
	Pointer  string      `json:"pointer"`
	Code     config.Code `json:"code"`
	Message  string      `json:"message"`
	Hint     string      `json:"hint,omitempty"`
	Kind     string      `json:"kind,omitempty"` // of a resource
	Name     string      `json:"name,omitempty"`
}

// verdict is the whole of what --json prints.
type verdict struct {
	OK       bool      `json:"ok"`
	Findings []finding `json:"findings"`
}

func validate(s Streams, files, resources []string, asJSON bool) error {
	mesh, err := readResources(s.In, resources)
	if err != nil {
		return err
	}
	v := verdict{OK: true, Findings: []finding{}}
	for _, name := range files {
		text, err := read(s.In, name)
		if err != nil {
			return err
		}
		r := check.Text(name, text)
		v.OK = v.OK && len(r.Errors) == 0
		if asJSON {
			v.Findings = append(v.Findings, findings(name, r)...)
		} else {
			printFindings(s.Out, name, r)
		}
		if len(resources) == 0 || len(r.Errors) > 0 {
			continue
		}
		found, err := mesh.against(name, r.Node)
		if err != nil {
			return err
		}
		v.OK = v.OK && len(found) == 0
		if asJSON {
			v.Findings = append(v.Findings, found...)
		} else {
			mesh.print(s.Out, found)
		}
	}
	if asJSON {
		e := json.NewEncoder(s.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			return err
		}
	}
	if !v.OK {
		return errFound
	}
	return nil
}

// readChecked reads a configuration; what is wrong with it goes to standard error.
func readChecked(s Streams, name string) (check.Result, error) {
	text, err := read(s.In, name)
	if err != nil {
		return check.Result{}, err
	}
	r := check.Text(name, text)
	if len(r.Errors) > 0 {
		fmt.Fprintln(s.Err, r.Errors.In(name))
		return r, errFound
	}
	return r, nil
}

// read reads a file, or the standard input.
func read(in io.Reader, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(in, config.MaxBytes+1))
	}
	return os.ReadFile(name)
}

// printFindings prints a file's findings, or that it has none.
func printFindings(w io.Writer, name string, r check.Result) {
	if len(r.Errors) == 0 {
		fmt.Fprintf(w, "%s: valid, version %s\n", name, config.Digest(r.Node))
	} else {
		fmt.Fprintln(w, r.Errors.In(name))
	}
	for _, one := range r.Warnings {
		one.Message = "warning: " + one.Message
		fmt.Fprintln(w, config.Errors{one}.In(name))
	}
}

func findings(name string, r check.Result) []finding {
	var all []finding
	for _, group := range []struct {
		severity string
		errs     config.Errors
	}{{"error", r.Errors}, {"warning", r.Warnings}} {
		for _, e := range group.errs {
			all = append(all, found(name, group.severity, e))
		}
	}
	return all
}

func found(file, severity string, e config.Error) finding {
	return finding{File: file, Severity: severity, Line: e.Line, Column: e.Column, Pointer: e.Pointer, Code: e.Code, Message: e.Message, Hint: e.Hint}
}
