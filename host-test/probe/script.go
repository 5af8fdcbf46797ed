package main

import (
	"errors"
	"strconv"
	"strings"
)

// script is a parsed plugin configuration.
type script struct {
	row, as string
	rules   []rule
}

// rule says what to do in one callback. Zero conditions match anything.
type rule struct {
	callback string
	context  int
	call     int
	end      string // "", "end" or "more"
	ops      [][]string
}

// Bounds of a script.
const (
	maxScript = 64 << 10
	maxOps    = 64
)

var errScript = errors.New("malformed script")

// parseScript reads a plugin configuration; see the package's documentation.
func parseScript(text string) (*script, error) {
	if len(text) > maxScript {
		return nil, errScript
	}
	s := &script{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if err := s.parseLine(line); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *script) parseLine(line string) error {
	if name, ok := strings.CutPrefix(line, "row "); ok {
		s.row = name
		return nil
	}
	if name, ok := strings.CutPrefix(line, "as "); ok {
		s.as = name
		return nil
	}
	head, body, ok := strings.Cut(line, ":")
	if !ok {
		return errScript
	}
	r, err := parseConditions(strings.TrimSpace(head))
	if err != nil {
		return err
	}
	for op := range strings.SplitSeq(body, ";") {
		words := strings.Fields(op)
		if len(words) == 0 {
			continue
		}
		if len(r.ops) == maxOps {
			return errScript
		}
		if err := unescapeAll(words); err != nil {
			return err
		}
		r.ops = append(r.ops, words)
	}
	s.rules = append(s.rules, r)
	return nil
}

// parseConditions reads "callback/1#2@end".
func parseConditions(head string) (r rule, err error) {
	head, end, hasEnd := strings.Cut(head, "@")
	if hasEnd && end != "end" && end != "more" {
		return r, errScript
	}
	r.end = end
	head, call, hasCall := strings.Cut(head, "#")
	if r.call, err = counter(call, hasCall); err != nil {
		return r, err
	}
	head, context, hasContext := strings.Cut(head, "/")
	if r.context, err = counter(context, hasContext); err != nil {
		return r, err
	}
	if r.callback = head; head == "" || strings.ContainsAny(head, " \t") {
		return r, errScript
	}
	return r, nil
}

func counter(s string, given bool) (int, error) {
	if !given {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, errScript
	}
	return n, nil
}

func unescapeAll(words []string) error {
	for i, w := range words {
		u, err := unescape(w)
		if err != nil {
			return err
		}
		words[i] = u
	}
	return nil
}

// unescape replaces %XX by its byte.
func unescape(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", errScript
		}
		c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", errScript
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), nil
}

// find is what to do in a callback: the first rule that fits.
func (s *script) find(callback string, context, call int, end bool) [][]string {
	for i := range s.rules {
		if s.rules[i].fits(callback, context, call, end) {
			return s.rules[i].ops
		}
	}
	return nil
}

func (r *rule) fits(callback string, context, call int, end bool) bool {
	return r.callback == callback && (r.context == 0 || r.context == context) && (r.call == 0 || r.call == call) &&
		(r.end == "" || (r.end == "end") == end)
}
