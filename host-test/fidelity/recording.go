package fidelity

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
)

// RecordingFile is the committed recording, from this package's folder.
const RecordingFile = "testdata/envoy-1.40.json"

// Recording is what a proxy answered to the table.
type Recording struct {
	Proxy string     `json:"proxy"` // "envoy 1.40.0"
	Rows  []Recorded `json:"rows"`
}

// Recorded is a row's transcript, with the scripts that led to it.
type Recorded struct {
	Name   string   `json:"name"`
	Down   string   `json:"down,omitempty"`
	Second string   `json:"second,omitempty"`
	Up     string   `json:"up,omitempty"`
	Lines  []string `json:"lines"`
}

// NewRecording joins rows and their transcripts.
func NewRecording(proxy string, rows []Row, transcripts [][]string) *Recording {
	r := &Recording{Proxy: proxy}
	for i, row := range rows {
		r.Rows = append(r.Rows, Recorded{Name: row.Name, Down: row.Down, Second: row.Second, Up: row.Up, Lines: transcripts[i]})
	}
	return r
}

// Bytes is the recording as a file.
func (r *Recording) Bytes() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
}

// LoadRecording reads a recording and checks that it is one of the table as it is now.
func LoadRecording(path string) (*Recording, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Recording{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(r.Rows) != len(Rows) {
		return nil, fmt.Errorf("%s has %d rows, the table %d: record anew", path, len(r.Rows), len(Rows))
	}
	for i, have := range r.Rows {
		row := Rows[i]
		if have.Name != row.Name || have.Down != row.Down || have.Second != row.Second || have.Up != row.Up {
			return nil, fmt.Errorf("%s: row %d, %s, is not the table's %s: record anew", path, i+1, have.Name, row.Name)
		}
	}
	return r, nil
}

var versionNumber = regexp.MustCompile(`/(\d+\.\d+\.\d+)/`)

// ProxyName asks an Envoy for its version: "envoy 1.40.0".
func ProxyName(binary string) (string, error) {
	out, err := exec.Command(binary, "--version").Output()
	if err != nil {
		return "", err
	}
	m := versionNumber.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s --version says %q", binary, out)
	}
	return "envoy " + string(m[1]), nil
}
