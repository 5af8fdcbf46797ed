package meshcheck

import (
	"slices"
	"strconv"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// MaxResources bounds how many resources one file may hold.
const MaxResources = 10_000

// Resource is one object of the cluster, as a file has it.
type Resource struct {
	File, Kind, Namespace, Name string

	group string
	node  *config.Node
	path  []string // where in its document it is
}

// Read reads the resources of a file of YAML or JSON: any number of documents,
// lists of the kind List included. What is no resource is an error.
func Read(name string, data []byte) ([]Resource, config.Errors) {
	documents, errs := yamlconfig.ParseAll(name, data)
	if len(errs) > 0 {
		return nil, errs
	}
	f := file{name: name}
	for _, d := range documents {
		f.add(d, nil)
	}
	return f.resources, f.errs
}

// file is a file that is being read.
type file struct {
	name      string
	resources []Resource
	errs      config.Errors
}

func (f *file) add(n *config.Node, path []string) {
	root := place{r: &Resource{File: f.name}}.put(n, path)
	kind := root.at("kind").text()
	switch {
	case len(f.resources) == MaxResources:
		f.fail(root, config.TooLarge, "more than "+strconv.Itoa(MaxResources)+" resources", "")
	case n.Kind != config.KindMap || kind == "" || root.at("apiVersion").text() == "":
		f.fail(root, config.Missing, "not a resource: it has no kind or no apiVersion", "")
	case kind == "List" && len(path) == 0:
		for _, item := range root.at("items").items() {
			f.add(item.n, item.path)
		}
	default:
		meta := root.at("metadata")
		f.resources = append(f.resources, Resource{File: f.name, Kind: kind, Namespace: meta.at("namespace").text(), Name: meta.at("name").text(),
			group: group(root.at("apiVersion").text()), node: n, path: slices.Clone(path)})
	}
}

func (f *file) fail(at place, code config.Code, message, hint string) {
	f.errs.Add(at.problem(code, message, hint).Error)
}
