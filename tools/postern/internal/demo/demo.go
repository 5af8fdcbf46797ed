// Package demo is what `postern run` serves when it is given no file: models
// of the mock providers, the real providers whose keys are set, and one API
// key, made anew at each start. It also turns any configuration into one whose
// providers are all played by the mock.
//
// It serves no gateway and reads no environment but by the function it is given.
package demo

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/identity"
)

// MockKey is the variable that holds the mock's credential in the VM's
// environment. It is no secret: the mock takes any.
const MockKey = "POSTERN_MOCK_KEY"

// KeyID is the id of the built-in configuration's API key.
const KeyID = "demo"

//go:embed demo.yaml.tmpl
var text string

var document = template.Must(template.New("demo").Parse(text))

// faults are behaviours of the mock that are models of their own.
var faults = []string{"400", "401", "429", "500", "529", "rate-limit", "quota", "context-length", "content-filter-400", "hang"}

// provider is a real provider, there when its key is.
type provider struct {
	Name, URL, Variable string
	Models              []string
}

// real lists the providers and the models that each has without being asked.
func real() []provider {
	return []provider{
		{"openai", "https://api.openai.com/v1", "OPENAI_API_KEY",
			[]string{"gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini"}},
		{"anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY",
			[]string{"claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"}},
		{"gemini", "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY",
			[]string{"gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"}},
	}
}

// Options say what the configuration depends on.
type Options struct {
	Mock   string              // base URL of the mock: http://127.0.0.1:1234
	Models []string            // further models of real providers, as provider/model
	Env    func(string) string // which keys are set
	Random io.Reader           // of the API key
}

// Demo is a configuration, and the key to it.
type Demo struct {
	Text []byte // of a postern.yaml
	Key  string
	Real []string // the real providers that are in it
}

// New writes the built-in configuration.
func New(o Options) (*Demo, error) {
	providers, err := available(o)
	if err != nil {
		return nil, err
	}
	key, hash, err := identity.NewKey(o.Random, KeyID)
	if err != nil {
		return nil, err
	}
	d := &Demo{Key: key}
	for _, p := range providers {
		d.Real = append(d.Real, p.Name)
	}
	var b bytes.Buffer
	err = document.Execute(&b, map[string]any{
		"Mock": o.Mock, "MockKey": MockKey, "Real": providers, "Faults": faults, "Hash": hash,
	})
	d.Text = b.Bytes()
	return d, err
}

// available are the real providers with a key, with the models that were asked
// for besides.
func available(o Options) ([]provider, error) {
	var there []provider
	names := ""
	for _, p := range real() {
		names += ", " + p.Name
		if o.Env(p.Variable) != "" {
			there = append(there, p)
		}
	}
	for _, m := range o.Models {
		name, model, _ := strings.Cut(m, "/")
		p := find(there, name)
		switch {
		case find(real(), name) == nil || !config.ValidName(m) || model == "":
			return nil, fmt.Errorf("model %q: write provider/model, with a provider of: %s", m, names[2:])
		case p == nil:
			return nil, fmt.Errorf("model %q: set %s first", m, find(real(), name).Variable)
		}
		p.Models = append(p.Models, model)
	}
	return there, nil
}

func find(list []provider, name string) *provider {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}
