package command

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/tools/meshcheck"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// maxResourceFiles bounds how many files a folder of resources may hold.
const maxResourceFiles = 1000

// meshFiles are the resources to hold against a configuration.
type meshFiles struct {
	resources []meshcheck.Resource
	unread    []finding
}

// readResources reads files, and the files of YAML and JSON in folders.
func readResources(in io.Reader, paths []string) (*meshFiles, error) {
	m := &meshFiles{}
	for _, path := range paths {
		files, err := resourceFiles(path)
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			if err := m.read(in, name); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// resourceFiles are the files that a path stands for.
func resourceFiles(path string) (files []string, err error) {
	if path == "-" {
		return []string{path}, nil
	}
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
			return err
		case name != path && !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name)):
			return nil
		case len(files) == maxResourceFiles:
			return fmt.Errorf("%s: more than %d files", path, maxResourceFiles)
		}
		files = append(files, name)
		return nil
	})
	return files, err
}

func (m *meshFiles) read(in io.Reader, name string) error {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, yamlconfig.MaxStream+1))
	if err != nil {
		return err
	}
	resources, errs := meshcheck.Read(name, text)
	for _, e := range errs {
		m.unread = append(m.unread, found(name, "error", e))
	}
	m.resources = append(m.resources, resources...)
	return nil
}

// against is what is wrong with the resources for a configuration. What is
// missing in them stands at the configuration's own file.
func (m *meshFiles) against(file string, node *config.Node) ([]finding, error) {
	if len(m.unread) > 0 {
		return m.unread, nil
	}
	problems, err := meshcheck.Check(node, m.resources)
	if err != nil {
		return nil, err
	}
	meshcheck.Sort(problems)
	var list []finding
	for _, p := range problems {
		f := found(cmp.Or(p.File, file), "error", p.Error)
		f.Kind, f.Name = p.Kind, p.Name
		list = append(list, f)
	}
	return list, nil
}

// print prints findings, or that there are none.
func (m *meshFiles) print(w io.Writer, list []finding) {
	if len(list) == 0 {
		fmt.Fprintf(w, "%d resources: nothing against them\n", len(m.resources))
	}
	for _, f := range list {
		e := config.Error{Line: f.Line, Column: f.Column, Pointer: f.Pointer, Message: f.Message, Hint: f.Hint}
		if of := strings.TrimSpace(f.Kind + " " + f.Name); of != "" {
			e.Message = of + ": " + e.Message
		}
		fmt.Fprintln(w, config.Errors{e}.In(f.File))
	}
}
