package scenario

import (
	"encoding/base64"
	"strings"

	"github.com/posterngw/postern/filters/wire/eventstream"
)

// frames makes an AWS event stream of lines "eventType payload", or of lines
// "exception type payload". The payload of a chunk is what it holds in base64.
func frames(lines string) string {
	var w eventstream.Writer
	for line := range strings.Lines(lines) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			continue
		}
		kind := "event"
		name, payload, _ := strings.Cut(line, " ")
		switch name {
		case "exception":
			kind = name
			name, payload, _ = strings.Cut(payload, " ")
		case "chunk":
			payload = `{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(payload)) + `"}`
		}
		w.Begin()
		w.Text(":"+kind+"-type", name)
		w.Text(":content-type", "application/json")
		w.Text(":message-type", kind)
		w.Body()
		w.B = append(w.B, payload...)
		w.End()
	}
	return string(w.B)
}
