package command

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/posterngw/postern/tools/postern/internal/check"
	"github.com/posterngw/postern/tools/postern/internal/demo"
	"github.com/posterngw/postern/tools/postern/internal/report"
)

// prepared is a configuration that is ready to be served.
type prepared struct {
	check.Result
	name string
	key  string // that is printed; empty with a FILE
	real []string
	env  map[string]string
	mock *demo.Mock // nil when no provider is the mock

	layout report.Layout
}

// Close ends the mock.
func (p *prepared) Close() error {
	if p.mock == nil {
		return nil
	}
	return p.mock.Close()
}

func (p *prepared) models() []string {
	var names []string
	for _, m := range p.Config.Route.Models {
		names = append(names, m.Name)
	}
	return names
}

func (p *prepared) targets() []string {
	var names []string
	for _, m := range p.Config.Route.Models {
		for _, t := range m.Value.Targets {
			names = append(names, first(t.Name, t.Provider+"/"+t.Model))
		}
	}
	return names
}

// prepare reads and checks the configuration and starts the mock for it.
func prepare(s Streams, o *runOptions, file string) (*prepared, error) {
	p := &prepared{name: file}
	var err error
	if file == "" {
		p.name = "the built-in configuration"
		err = p.builtIn(o)
	} else {
		err = p.load(s, o)
	}
	if err == nil {
		err = p.environment(s, o)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.layout = report.NewLayout(p.models(), p.targets())
	return p, nil
}

func (p *prepared) builtIn(o *runOptions) (err error) {
	if p.mock, err = demo.StartMock(nil); err != nil {
		return err
	}
	d, err := demo.New(demo.Options{Mock: p.mock.URL, Models: o.models, Env: os.Getenv, Random: rand.Reader})
	if err != nil {
		return err
	}
	p.key, p.real = d.Key, d.Real
	p.Result = check.Text(p.name, d.Text)
	if len(p.Errors) > 0 {
		return fmt.Errorf("the built-in configuration is wrong:\n%w", p.Errors)
	}
	return nil
}

// load reads a FILE; its findings go to standard error.
func (p *prepared) load(s Streams, o *runOptions) error {
	var err error
	if p.Result, err = readChecked(s, p.name); err != nil {
		return err
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(s.Err, "%s: warning: %v\n", p.name, w)
	}
	if !o.mock {
		return nil
	}
	if p.mock, err = demo.StartMock([]string{"*"}); err != nil {
		return err
	}
	demo.Mocked(p.Node, p.mock.URL)
	p.Result = check.Tree(p.Node)
	return p.Errors.Err()
}

// environment collects the variables that the configuration refers to. One
// that is not set is an error here, where its name can be said.
func (p *prepared) environment(s Streams, o *runOptions) error {
	p.env = map[string]string{}
	var errs []error
	for i := range p.Config.Route.Providers {
		provider := &p.Config.Route.Providers[i]
		for _, ref := range provider.Value.Credentials.Credentials {
			name, isEnv := strings.CutPrefix(ref, "env:")
			switch value := os.Getenv(name); {
			case !isEnv && o.host == "wazero":
				fmt.Fprintf(s.Err, "postern: warning: provider %s leaves its credential to the proxy; here it is asked without one\n", provider.Name)
			case !isEnv:
			case name == demo.MockKey && p.mock != nil:
				p.env[name] = "mock"
			case value == "":
				errs = append(errs, fmt.Errorf("provider %s: the environment variable %s is not set (--mock needs none)", provider.Name, name))
			default:
				p.env[name] = value
			}
		}
	}
	return errors.Join(errs...)
}
