package slim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"runtime/debug"
	"strings"
)

// Go writes what a program was built from between two marks, into its data
// (runtime/debug). Packed it could not be found there by who only has the file, so
// that it is kept in a custom section of the same text as well, which hosts
// pass over.
const (
	infoBegin   = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
	infoEnd     = "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
	infoSection = "go:buildinfo"
	custom      = 0
)

// ErrNoBuildInfo says that a module does not tell what it was built from.
var ErrNoBuildInfo = errors.New("no build information in the module")

// BuildInfo is what a module was built from, as Go links it or as slim leaves it.
func BuildInfo(b []byte) (*debug.BuildInfo, error) {
	m, err := parse(b)
	if err != nil {
		return nil, err
	}
	text, found := m.keptInfo()
	if !found {
		text, found = marked(*m.body(data))
	}
	if !found {
		return nil, ErrNoBuildInfo
	}
	info, err := debug.ParseBuildInfo(string(text))
	if err != nil {
		return nil, err
	}
	if line, _, _ := strings.Cut(string(text), "\n"); strings.HasPrefix(line, releaseLine) {
		info.GoVersion = line[len(releaseLine):] // which the parser leaves out
	}
	return info, nil
}

// releaseLine begins the line of Go's release.
const releaseLine = "go\t"

// marked is the text between the marks.
func marked(b []byte) (text []byte, found bool) {
	if _, b, found = bytes.Cut(b, []byte(infoBegin)); found {
		text, _, found = bytes.Cut(b, []byte(infoEnd))
	}
	return text, found
}

// keepInfo puts the text of build information in memory into a section, with
// the release of Go, which the text leaves out: it is this program's if the
// module has its name.
func (m *module) keepInfo(memory []byte) {
	text, found := marked(memory)
	if !found {
		return
	}
	kept := infoName()
	if release := runtime.Version(); bytes.Contains(memory, []byte(release)) {
		kept = append(kept, releaseLine+release+"\n"...)
	}
	m.ids = append(m.ids, custom)
	m.bodies = append(m.bodies, append(kept, text...))
}

// keptInfo is the text that keepInfo kept.
func (m *module) keptInfo() (text []byte, found bool) {
	for i, id := range m.ids {
		if text, found = bytes.CutPrefix(m.bodies[i], infoName()); found && id == custom {
			return text, true
		}
	}
	return nil, false
}

// infoName is how the section begins.
func infoName() []byte {
	return append(binary.AppendUvarint(nil, uint64(len(infoSection))), infoSection...)
}
