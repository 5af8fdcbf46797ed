// Package losses finds out what each pair of dialects loses, by trying: a plain
// request of a client's API, the same with one more field, both translated for a
// target. A field that changes nothing in what leaves, that no ledger mentions
// and that is not refused is lost silently, which is an error.
//
// docs/dialects.md is written from it. It knows no field by itself: the tables
// in dialecttest name them.
package losses

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Fate is what becomes of one field at one target.
type Fate struct {
	Word string // kept, mapped, defaulted, dropped, refused, gateway, unserved; "lost" is an error
	Why  string
}

// Row is one field of an API.
type Row struct {
	Field dialecttest.Field
	Fates []Fate // by target
}

// Client is a client's API with its plain request and its fields.
type Client struct {
	Dialect *dialect.Dialect
	API     *dialect.API
	Line    dialect.Line
	Plain   string // request body that every field is added to
	Fields  []dialecttest.Field
	Here    map[string]string // pointers that the gateway itself obeys, with what it does
}

// Target is a place where requests may go.
type Target struct {
	Name    string // as the documents show it
	Dialect *dialect.Dialect
	Codec   dialect.Target

	Embedder string // the model that makes vectors
}

// Rows tries every field of a client at every target.
func Rows(c *Client, targets []Target) ([]Row, error) {
	var rows []Row
	for _, f := range c.Fields {
		row := Row{Field: f}
		with, err := merge(c.Plain, f.With)
		if err != nil {
			return nil, fmt.Errorf("%s: with: %w", f.Pointer, err)
		}
		added, err := set(with, f.Pointer, f.Example)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Pointer, err)
		}
		for i := range targets {
			fate, err := c.fate(&targets[i], with, added, &f)
			if err != nil {
				return nil, fmt.Errorf("%s to %s: %w", f.Pointer, targets[i].Name, err)
			}
			row.Fates = append(row.Fates, fate)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Whole is what becomes of the plain request itself at every target.
func Whole(c *Client, targets []Target) (Row, error) {
	row := Row{Field: dialecttest.Field{Pointer: c.Line.Path, Example: c.Plain}}
	for i := range targets {
		fate, err := c.whole(&targets[i])
		if err != nil {
			return row, fmt.Errorf("%s: %w", targets[i].Name, err)
		}
		row.Fates = append(row.Fates, fate)
	}
	return row, nil
}

func (c *Client) whole(t *Target) (Fate, error) {
	in, err := c.read([]byte(c.Plain))
	if err != nil {
		return Fate{}, err
	}
	codec := c.codec(t)
	api, direct := c.served(t, &in.facts, &codec)
	if api == nil {
		return direct, nil
	}
	out := c.translate(api, &codec, &in)
	if out.refused != nil {
		return Fate{"refused", out.refused.Message}, nil
	}
	return Fate{"mapped", ""}, nil
}

// served is the API by which a target is asked in translation; nil, and the fate,
// where nothing is translated.
func (c *Client) served(t *Target, f *llm.Facts, codec *dialect.Target) (*dialect.API, Fate) {
	switch api, same := t.Dialect.Serves(c.API, f, codec); {
	case api == nil:
		return nil, Fate{"unserved", ""}
	case same:
		return nil, Fate{"kept", ""}
	default:
		return api, Fate{}
	}
}

// codec is a target as this API's requests go there.
func (c *Client) codec(t *Target) dialect.Target {
	codec := t.Codec
	if c.API.Operation == llm.Embed {
		codec.Model = t.Embedder
	}
	return codec
}

// fate compares what leaves with and without a field. What a field needs beside it
// may be refused without it.
func (c *Client) fate(t *Target, without, with []byte, f *dialecttest.Field) (Fate, error) {
	read, err := c.read(without)
	if err != nil {
		return Fate{}, err
	}
	codec := c.codec(t)
	api, direct := c.served(t, &read.facts, &codec)
	if api == nil {
		return direct, nil
	}
	before := c.translate(api, &codec, &read)
	if before.refused != nil && f.With == "" {
		return Fate{}, fmt.Errorf("the request is refused without it: %w", before.refused)
	}
	if read, err = c.read(with); err != nil {
		return Fate{}, err
	}
	after := c.translate(api, &codec, &read)
	return c.compare(&before, &after, f.Pointer), nil
}

func (c *Client) compare(before, after *translated, pointer string) Fate {
	if after.refused != nil {
		return Fate{"refused", after.refused.Message}
	}
	noted := map[dialect.Loss]bool{}
	for _, l := range before.ledger.Entries {
		noted[l] = true
	}
	for _, l := range after.ledger.Entries {
		if !noted[l] {
			return Fate{l.Fate.String(), l.Why}
		}
	}
	if string(before.body) != string(after.body) {
		return Fate{"mapped", ""}
	}
	if does, ok := c.Here[pointer]; ok {
		return Fate{"gateway", does}
	}
	return Fate{"lost", "neither in what leaves nor in the ledger"}
}

// translated is a request as it leaves.
type translated struct {
	body    []byte
	ledger  dialect.Ledger
	refused *llm.Error
}

// asked is a request as it came.
type asked struct {
	doc     jsonx.Document
	facts   llm.Facts
	refused *llm.Error
}

// read takes the way of the pipeline's client side.
func (c *Client) read(body []byte) (in asked, err error) {
	call, ok := c.API.Client.Recognise(&c.Line)
	if !ok {
		return in, fmt.Errorf("the request line is not recognised: %s %s", c.Line.Method, c.Line.Path)
	}
	doc, bad := jsonx.Scan(body, c.API.Client.Inspected(), jsonx.Limits{})
	if bad != nil {
		return in, bad
	}
	in.doc = doc
	in.facts, in.refused = c.API.Client.Facts(call, &in.doc)
	in.facts.Operation = c.API.Operation
	in.facts.Form |= call.Form
	return in, nil
}

// translate takes its way to a target.
func (c *Client) translate(api *dialect.API, t *dialect.Target, in *asked) (out translated) {
	if out.refused = in.refused; out.refused != nil {
		return out
	}
	var r *llm.Request
	if r, out.refused = c.API.Client.Decode(in.facts, &in.doc); out.refused != nil {
		return out
	}
	out.ledger.Leftovers(r)
	out.body, out.refused = api.Provider.Encode(nil, r, t, &out.ledger)
	// What the path says leaves, too.
	out.body = append(append(out.body, '\n'), api.Provider.Path(&in.facts, t)...)
	return out
}

// merge adds the members of an object to another.
func merge(body, with string) ([]byte, error) {
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		return nil, err
	}
	if with != "" {
		if err := json.Unmarshal([]byte(with), &doc); err != nil {
			return nil, err
		}
	}
	return json.Marshal(doc)
}

// set puts a value at a JSON pointer (RFC 6901) whose parents are there.
func set(body []byte, pointer, value string) ([]byte, error) {
	var doc, v any
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		return nil, fmt.Errorf("example: %w", err)
	}
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	at := doc
	for _, step := range steps[:len(steps)-1] {
		next, err := child(at, step)
		if err != nil {
			return nil, err
		}
		at = next
	}
	last := steps[len(steps)-1]
	switch parent := at.(type) {
	case map[string]any:
		parent[last] = v
	case []any:
		i, err := strconv.Atoi(last)
		if err != nil || i >= len(parent) {
			return nil, fmt.Errorf("no element %s", last)
		}
		parent[i] = v
	default:
		return nil, fmt.Errorf("%s has no members", last)
	}
	return json.Marshal(doc)
}

func child(at any, step string) (any, error) {
	switch parent := at.(type) {
	case map[string]any:
		if next, ok := parent[step]; ok {
			return next, nil
		}
		next := map[string]any{}
		parent[step] = next
		return next, nil
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i < len(parent) {
			return parent[i], nil
		}
	}
	return nil, fmt.Errorf("no %s", step)
}
