package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// value is a decoded JSON value that may be looked into without asking first.
type value struct{ v any }

// decode reads one JSON value.
func decode(text []byte) (value, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err := d.Decode(&v)
	if _, more := d.Token(); err == nil && more != io.EOF {
		err = errors.New("something follows the JSON value")
	}
	return value{v}, err
}

// at follows member names and indexes; what is not there is an empty value.
func (x value) at(path ...any) value {
	v := x.v
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return value{}
			}
			v = l[s]
		}
	}
	return value{v}
}

// text is a string's text, else empty.
func (x value) text() string { s, _ := x.v.(string); return s }

// int is a whole number, else 0.
func (x value) int() int64 {
	n, _ := x.v.(json.Number)
	i, err := n.Int64()
	if f, bad := n.Float64(); err != nil && bad == nil {
		return int64(f)
	}
	return i
}

func (x value) is() bool { return x.v != nil }

// list is an array's elements.
func (x value) list() []value {
	l, _ := x.v.([]any)
	out := make([]value, len(l))
	for i := range l {
		out[i] = value{l[i]}
	}
	return out
}

// json is the value as JSON text; empty for one that is not there.
func (x value) json() string {
	if x.v == nil {
		return ""
	}
	out, err := json.Marshal(x.v)
	if err != nil {
		return ""
	}
	return string(out)
}

// event is one event of an event stream.
type event struct {
	name string
	data string
}

// events reads a stream of server-sent events the simple way.
func events(body []byte) []event {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(body))
	var list []event
	for _, block := range strings.Split(text, "\n\n") {
		var e event
		var data []string
		for _, l := range strings.Split(block, "\n") {
			field, rest, _ := strings.Cut(l, ":")
			rest = strings.TrimPrefix(rest, " ")
			switch field {
			case "event":
				e.name = rest
			case "data":
				data = append(data, rest)
			}
		}
		if data != nil {
			e.data = strings.Join(data, "\n")
			list = append(list, e)
		}
	}
	return list
}

// values reads the JSON values of a stream's events; [DONE] is none.
func values(body []byte) ([]value, error) {
	var list []value
	for _, e := range events(body) {
		if strings.TrimSpace(e.data) == "[DONE]" {
			continue
		}
		v, err := decode([]byte(e.data))
		if err != nil {
			return nil, fmt.Errorf("event %q: %w", shorten(e.data), err)
		}
		list = append(list, v)
	}
	return list, nil
}

// lines reads the JSON values of a stream with one a line.
func lines(body []byte) ([]value, error) {
	var list []value
	for _, l := range strings.Split(string(body), "\n") {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		v, err := decode([]byte(l))
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", shorten(l), err)
		}
		list = append(list, v)
	}
	return list, nil
}
