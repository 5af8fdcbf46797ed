package mock

import (
	"bytes"

	"github.com/posterngw/postern/tools/mock/core"
)

// shape applies to the events of a stream what the scenario says of them.
func shape(frames []core.Frame, sc *core.Scenario, broken func() core.Frame) []core.Frame {
	switch sc.StreamError {
	case core.ErrorFirst:
		frames = []core.Frame{broken()}
	case core.ErrorOpened:
		frames = append(frames[:firstContent(frames):firstContent(frames)], broken())
	case core.ErrorMid:
		mid := middle(frames)
		frames = append(frames[:mid:mid], broken())
	}
	if sc.Malformed && len(frames) > 0 {
		frames = append([]core.Frame{}, frames...)
		mid := min(middle(frames), len(frames)-1)
		frames[mid].Data = maim(frames[mid].Data)
	}
	if !sc.Reframes() {
		return frames
	}
	out := make([]core.Frame, len(frames))
	for i, f := range frames {
		f.Data = reframe(f.Data, sc)
		if i == 0 && sc.BOM {
			f.Data = append([]byte("\xef\xbb\xbf"), f.Data...)
		}
		out[i] = f
	}
	return out
}

// reframe writes the lines of an event in another of the forms that the
// event-stream format allows.
func reframe(data []byte, sc *core.Scenario) []byte {
	if sc.MultiLine {
		data = bytes.Replace(data, []byte("data: {"), []byte("data: {\ndata: "), 1)
	}
	if sc.Comments {
		data = append([]byte(": a comment\n"), data...)
	}
	if sc.NoSpace {
		data = unspaced(data)
	}
	if sc.LineEnd != "" {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		data = bytes.ReplaceAll(data, []byte("\n"), []byte(sc.LineEnd))
	}
	return data
}

// unspaced takes away the optional space after the colon of a field.
func unspaced(data []byte) []byte {
	lines := bytes.Split(data, []byte("\n"))
	for i, line := range lines {
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok && len(name) > 0 && !bytes.ContainsAny(name, "{\"") {
			lines[i] = append(append(append([]byte{}, name...), ':'), value...)
		}
	}
	return bytes.Join(lines, []byte("\n"))
}

// maim breaks the JSON of an event and keeps its framing.
func maim(data []byte) []byte {
	line := bytes.TrimRight(data, "\r\n")
	return append(append([]byte{}, line[:len(line)-len(line)/3]...), '\n', '\n')
}

func firstContent(frames []core.Frame) int {
	for i, f := range frames {
		if f.Kind == core.Content {
			return i
		}
	}
	return len(frames)
}

// middle is the index of the content in the middle of a stream.
func middle(frames []core.Frame) int {
	var contents []int
	for i, f := range frames {
		if f.Kind == core.Content {
			contents = append(contents, i)
		}
	}
	if len(contents) == 0 {
		return len(frames) / 2
	}
	return contents[len(contents)/2]
}

// half returns the frames up to the middle and, when inside is set, the first
// half of the next one.
func half(frames []core.Frame, inside bool) []core.Frame {
	if len(frames) == 0 {
		return nil
	}
	mid := min(middle(frames), len(frames)-1)
	out := frames[:mid:mid]
	if inside {
		f := frames[mid]
		f.Data, f.Reports = f.Data[:len(f.Data)/2], false
		out = append(out, f)
	}
	return out
}
