// Package module finds the module's file: the one that is named, one that was
// built here, or one that it builds from the sources that the command itself was
// installed from.
//
// It downloads no module that somebody else has built, and keeps what it has
// built in the user's cache, by version, sum of the sources and Go release.
package module

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
)

// Default is where the module is after `make wasm`.
const Default = "build/postern.wasm"

// Finder finds the module.
type Finder struct {
	Named string                         // what the user named; empty for none
	Self  *debug.BuildInfo               // of the command; nil if it is not known
	Tell  func(text string)              // what takes long
	Cache func() (dir string, err error) // the user's, os.UserCacheDir
}

// New finds for this process.
func New(named string, tell func(text string)) *Finder {
	self, _ := debug.ReadBuildInfo()
	return &Finder{Named: named, Self: self, Tell: tell, Cache: os.UserCacheDir}
}

// Find returns the path of the module's file.
func (f *Finder) Find(ctx context.Context) (string, error) {
	candidates := f.candidates()
	for _, c := range candidates {
		if info, err := os.Stat(c); err == nil && info.Mode().IsRegular() {
			return c, nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if f.Named == "" && f.installed() {
		return f.built(ctx)
	}
	return "", fmt.Errorf("there is no module at %s: build it with `make wasm`, or name it with --wasm", candidates[0])
}

func (f *Finder) candidates() []string {
	if f.Named != "" {
		return []string{f.Named}
	}
	all := []string{Default}
	if self, err := os.Executable(); err == nil {
		all = append(all, filepath.Join(filepath.Dir(self), filepath.Base(Default)))
	}
	return all
}

// installed reports whether the command was built from a version of its sources
// whose sum is known, as go install does; one from a checkout has none.
func (f *Finder) installed() bool {
	return f.Self != nil && f.Self.Main.Sum != ""
}
