package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/hosts"
	"github.com/posterngw/postern/tools/postern/internal/check"
)

func validateCommand(s Streams) *cobra.Command {
	o := validation{}
	c := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check configurations",
		Long: `Checks each postern.yaml for everything that the module would refuse at its
start, but for keys that are not in the environment, and for what it would
accept and cannot be meant: rules that never hold, models that nobody may use,
chains of targets that cannot help. Prints one line for each finding:

  FILE:LINE:COLUMN: /pointer: message (what to do)

With --host it also says what becomes of the configuration on that proxy: an
error for what is refused there, a warning for what works in a weaker way. With
--resources it holds Istio's resources against the configuration, before they are
applied: give everything that belongs to the gateway.

The exit code is 1 if there is an error; warnings alone are no error. A FILE of
- is the standard input.`,
		Example: "  postern validate postern.yaml\n  postern validate --json *.yaml\n  postern validate postern.yaml --host istio --mode paired --version 1.31\n  postern validate postern.yaml --resources mesh/",
		Args:    atLeast(1, "validate wants a FILE"),
		RunE: runs(func(_ context.Context, args []string) error {
			return o.run(s, args)
		}),
	}
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document instead of lines")
	c.Flags().StringVar(&o.host, "host", "", "the proxy that it is for: envoy, istio or apisix")
	c.Flags().StringVar(&o.mode, "mode", "", "the mode there (default the configuration's, or the proxy's first)")
	c.Flags().StringVar(&o.version, "version", "", "the proxy's version")
	c.Flags().StringSliceVar(&o.resources, "resources", nil, "files or folders of Istio resources to hold against the configuration")
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

// validation is what the flags ask for, and what has been found.
type validation struct {
	json                bool
	host, mode, version string
	resources           []string
	mesh                *meshFiles
	verdict
}

func (v *validation) run(s Streams, files []string) error {
	if v.host == "" && v.mode+v.version != "" {
		return errors.New("--mode and --version are those of a --host")
	}
	var err error
	if v.mesh, err = readResources(s.In, v.resources); err != nil {
		return err
	}
	v.verdict = verdict{OK: true, Findings: []finding{}}
	for _, name := range files {
		if err := v.file(s, name); err != nil {
			return err
		}
	}
	if v.json {
		e := json.NewEncoder(s.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(v.verdict); err != nil {
			return err
		}
	}
	if !v.OK {
		return errFound
	}
	return nil
}

// file checks one configuration, and if it is valid what is asked for beside.
func (v *validation) file(s Streams, name string) error {
	text, err := read(s.In, name)
	if err != nil {
		return err
	}
	r := check.Text(name, text)
	v.add(findings(name, r))
	if !v.json {
		printFindings(s.Out, name, r)
	}
	if len(r.Errors) > 0 {
		return nil
	}
	if v.host != "" {
		if err := v.onHost(s, name, r); err != nil {
			return err
		}
	}
	if len(v.resources) == 0 {
		return nil
	}
	found, err := v.mesh.against(name, r.Node)
	if err != nil {
		return err
	}
	v.add(found)
	if !v.json {
		v.mesh.print(s.Out, found)
	}
	return nil
}

// add takes findings; an error is the verdict.
func (v *validation) add(found []finding) {
	for _, f := range found {
		v.OK = v.OK && f.Severity != "error"
	}
	v.Findings = append(v.Findings, found...)
}

// onHost says what becomes of the configuration on a host.
func (v *validation) onHost(s Streams, name string, r check.Result) error {
	place, err := placeOf(v.host, v.mode, r)
	if err != nil {
		return err
	}
	found, err := hosts.Check(r.Node, r.Config, place, v.version)
	if err != nil {
		return err
	}
	r.Errors, r.Warnings = found.Errors, found.Warnings
	v.add(findings(name, r))
	if v.json {
		return nil
	}
	if len(r.Errors) == 0 {
		fmt.Fprintf(s.Out, "%s: %s takes it in mode %s\n", name, place.Host.Title(), place.Mode)
	}
	printLists(s.Out, name, r)
	return nil
}

// placeOf is where a configuration is to go: in the mode that is asked for, in the one
// that it says, or in the host's first.
func placeOf(host, mode string, r check.Result) (hosts.Place, error) {
	if mode == "" && r.Node.Get("mode") != nil {
		if place, err := hosts.Find(host, r.Config.Mode); err == nil {
			return place, nil
		}
	}
	return hosts.Find(host, pipeline.Mode(mode))
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
	}
	printLists(w, name, r)
}

// printLists prints errors, then warnings.
func printLists(w io.Writer, name string, r check.Result) {
	if len(r.Errors) > 0 {
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
