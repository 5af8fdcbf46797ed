package replay_test

import (
	"encoding/json"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/tools/replay"
)

// tables are the lists of fields of the dialects, whose pointers and examples name
// what a request may hold. An API without entries in one has no list.
var tables = map[string][]dialecttest.Field{
	"openai": dialecttest.OpenAIFields, "anthropic": dialecttest.AnthropicFields, "gemini": dialecttest.GeminiFields,
	"bedrock": dialecttest.BedrockFields, "cohere": dialecttest.CohereFields,
}

// addressed is a member that says which API is asked, and nothing more: a cloud's
// target is told its own.
const addressed = "/anthropic_version"

// free are the members below which a request holds what its author likes: schemas,
// arguments and answers of tools, labels.
var free = map[string]bool{
	"parameters": true, "schema": true, "input_schema": true, "inputSchema": true, "metadata": true, "requestMetadata": true,
	"args": true, "response": true, "labels": true, "logit_bias": true, "properties": true, "parametersJsonSchema": true,
	"responseSchema": true, "responseJsonSchema": true, "additionalModelRequestFields": true, "json": true,
}

// paths collects the paths of a value's members; items of lists are "*".
func paths(into map[string]bool, at string, v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			paths(into, at+"/*", item)
		}
	case map[string]any:
		for name, item := range v {
			to := at + "/" + name
			into[to] = true
			if tool := name == "input" && v["name"] != nil; !free[name] && !tool {
				paths(into, to, item)
			}
		}
	}
}

// named are the paths that a table names for an API.
func named(t *testing.T, table []dialecttest.Field, api string) map[string]bool {
	all := map[string]bool{}
	for _, f := range table {
		if f.API != api {
			continue
		}
		var at string
		for _, part := range strings.Split(f.Pointer, "/")[1:] {
			if strings.Trim(part, "0123456789") == "" {
				part = "*"
			}
			at += "/" + part
			all[at] = true
		}
		for under, text := range map[string]string{at: f.Example, "": f.With} {
			if text != "" {
				var v any
				require.NoError(t, json.Unmarshal([]byte(text), &v), f.Pointer)
				paths(all, under, v)
			}
		}
	}
	return all
}

// TestRecordedFields walks the members of recorded requests: each must be named in
// the table of its API's fields, from which the losses of a translation are found. A
// member that the table lacks could be dropped in silence.
func TestRecordedFields(t *testing.T) {
	dir := os.Getenv("POSTERN_RECORDINGS")
	if dir == "" {
		t.Skip("POSTERN_RECORDINGS names no folder of recorded traffic")
	}
	list, err := replay.Read(dir)
	require.NoError(t, err)
	missing, unlisted := map[string]string{}, map[string]int{}
	for i := range list {
		x := &list[i]
		d, api := apiOf(x)
		known := named(t, tables[d], api)
		if len(known) == 0 {
			unlisted[d+" "+api]++
			continue
		}
		var v any
		if x.Status >= 400 || json.Unmarshal(x.Request, &v) != nil {
			continue
		}
		sent := map[string]bool{}
		paths(sent, "", v)
		for p := range sent {
			if !known[p] && !known[camel(d, p)] && p != addressed {
				missing[d+" "+api+" "+p] = x.ID
			}
		}
	}
	var lines []string
	for p, id := range missing {
		lines = append(lines, p+" ("+id+")")
	}
	sort.Strings(lines)
	t.Log("without a table:", unlisted)
	require.Empty(t, lines, strings.Join(lines, "\n"))
}

// apiOf tells which API of which dialect a recorded request is of.
func apiOf(x *replay.Exchange) (d, api string) {
	r := replay.RouteOf(x)
	path, query, _ := strings.Cut(r.Path, "?")
	l := &dialect.Line{Method: x.Method, Path: path, Query: query, Header: func(name string) string { return x.Headers[name] }}
	for _, d := range builtin.Dialects() {
		for _, a := range d.APIs {
			if d.Name != r.Dialect || a.Client == nil {
				continue
			}
			if _, ok := a.Client.Recognise(l); ok {
				return d.Name, strings.Replace(a.Name, "streamGenerateContent", "generateContent", 1)
			}
		}
	}
	return r.Dialect, ""
}

// camel is Gemini's other spelling of a path.
func camel(dialect, path string) string {
	if dialect != "gemini" {
		return path
	}
	words := strings.Split(path, "_")
	for i := range words[1:] {
		if w := words[i+1]; w != "" {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}
