package credential

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

const (
	maxRefs = 16
	maxKey  = 16 << 10 // bytes
	// Host is the reference that leaves the credential to the proxy.
	Host      = "host"
	envPrefix = "env:"
)

// Config is the part of a provider's section that says where its keys are.
type Config struct {
	Credentials []string // references: "host", "env:NAME"
}

// Fields is the table of that part, to stand among a provider's own fields.
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.Strings("credentials", &c.Credentials, config.Length(0, maxRefs), config.Check(CheckRefs),
			config.Example("[env:OPENAI_API_KEY]"),
			config.Doc("References to keys, never keys: `env:NAME` reads the environment of the VM, `host` leaves the credential to the proxy's own injector and stands alone. Of several keys the first is used. Without any, requests are sent without a credential.")),
	}
}

// CheckRefs reports what is wrong with a list of references. It does not repeat
// a reference: it may be the secret that should not stand there.
func CheckRefs(refs []string) error {
	for i, r := range refs {
		name, isEnv := strings.CutPrefix(r, envPrefix)
		switch {
		case r == Host && len(refs) > 1:
			return config.Problem("`host` stands alone", "the proxy injects the credential, or the module sets a key")
		case r != Host && (!isEnv || !validEnv(name)):
			return config.Problem("credential "+strconv.Itoa(i+1)+" is not a reference to a key; never write the key itself",
				"write env:NAME or host")
		}
	}
	return nil
}

// validEnv takes the names of POSIX (Base Definitions, section 8.1), of either
// case.
func validEnv(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= config.MaxName
}

// Error is a credential that a configuration asks for and the VM cannot give.
type Error struct {
	Provider string
	Variable string // of the environment
	Problem  string
}

// Error names the provider and the variable, and no value.
func (e *Error) Error() string {
	return "provider " + e.Provider + ": environment variable " + e.Variable + " " + e.Problem
}

// New reads the keys of a provider; env reads the environment of the VM. The
// errors are those of CheckRefs and *Error.
func New(provider string, c *Config, env func(name string) string) (Source, error) {
	if err := CheckRefs(c.Credentials); err != nil {
		return nil, err
	}
	if len(c.Credentials) == 0 || c.Credentials[0] == Host {
		return host{}, nil
	}
	s := &static{}
	for _, r := range c.Credentials {
		name := strings.TrimPrefix(r, envPrefix)
		// Keys that come out of files often end in a line break.
		key := strings.Trim(env(name), " \t\r\n")
		if problem := judge(key); problem != "" {
			return nil, &Error{Provider: provider, Variable: name, Problem: problem}
		}
		s.keys = append(s.keys, NewSecret(key))
	}
	return s, nil
}

// judge says what is wrong with a key that is to stand in a header.
func judge(key string) string {
	switch {
	case key == "":
		return "is not set, or the host does not give it to the module"
	case len(key) > maxKey:
		return "is longer than any key"
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return "has a character that no key has"
		}
	}
	return ""
}
