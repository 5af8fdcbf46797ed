package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// A VM is known by its code and by the variables that it sees, and the two stages
// of a request must meet in one. So clusters, which hold the provider stage, are
// named for their VM where listener and clusters are replaced one after the other:
// requests of the old listener find the old clusters until they have ended.

// generation names the VM of files of XDS; empty where clusters hold no stage.
func (v *view) generation() (string, error) {
	if v.Dir == "" || v.Paired {
		return "", nil
	}
	var b strings.Builder
	if err := envoy().ExecuteTemplate(&b, "vm", v); err != nil {
		return "", fmt.Errorf("render envoy: %w", err)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:4]), nil
}

// Full is the name of a provider's cluster in Envoy.
func (v *view) Full(c cluster) string {
	if v.Generation == "" {
		return c.Name
	}
	return c.Name + "~" + v.Generation
}

// Routes is the name of the file of the routes, which name those clusters.
func (v *view) Routes() string {
	if v.Generation == "" {
		return "routes.yaml"
	}
	return "routes-" + v.Generation + ".yaml"
}

// Lines of clusters.yaml: how a cluster begins, what names it, and where the
// clusters of each configuration before begin.
const (
	clusterStart = `- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster`
	clusterName  = "  name: "
	keptStart    = "# Of the configuration before, which may still have requests:\n"
)

// keepFor is how many times a cluster that is not needed any more is written
// again. It is more than once because Envoy may have refused what came after it.
const keepFor = 3

// Kept are the clusters of the file that is replaced, of which this configuration
// has none of that name.
func (v *view) Kept() string {
	named := map[string]bool{}
	for _, c := range v.All() {
		named[c.Full()] = true
	}
	var kept, all string
	for i, section := range strings.Split(string(v.Before), keptStart) {
		kept += keptStart
		for _, one := range strings.Split(section, clusterStart)[1:] {
			_, rest, _ := strings.Cut(one, clusterName)
			name, _, _ := strings.Cut(rest, "\n")
			if name = strings.Trim(name, `"`); named[name] {
				continue
			}
			named[name] = true
			kept += clusterStart + strings.TrimRight(one, "\n") + "\n"
			all = kept
		}
		if i+1 == keepFor {
			break
		}
	}
	return all
}
