package anthropic

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/percent"
)

// The flavours of targets that serve messages on another cloud: the body is the
// API's, but for the model, which is in the path, and for the version, which is in
// the body (source: Anthropic's guides for Vertex AI and for Amazon Bedrock, and
// the clouds' clients in its SDKs).
const (
	vertex  = "vertex"
	bedrock = "bedrock"
)

// cloud is how messages are asked for there.
type cloud struct {
	version string
	streams bool // the body says whether the answer is streamed
}

// cloudOf is the target's cloud; nil for the API itself.
func cloudOf(t *dialect.Target) *cloud {
	if t == nil {
		return nil
	}
	switch t.Flavour {
	case vertex:
		return &cloud{version: "vertex-2023-10-16", streams: true}
	case bedrock:
		return &cloud{version: "bedrock-2023-05-31"}
	}
	return nil
}

// cloudPath is the path of a call there. On Vertex the base path ends in
// "/publishers/anthropic".
func cloudPath(f *llm.Facts, t *dialect.Target) string {
	action := [...]string{":rawPredict", ":streamRawPredict", "invoke", "invoke-with-response-stream"}
	n := 0
	if f.Stream {
		n = 1
	}
	if t.Flavour == bedrock {
		return aws.ModelPath(t.BasePath, t.Model, action[2+n])
	}
	return t.BasePath + "/models/" + t.Model + action[n]
}

// onVertex reads the path of a call that a client of Vertex makes:
// /v1/projects/{p}/locations/{l}/publishers/anthropic/models/{m}:rawPredict.
func onVertex(l *dialect.Line) (dialect.Call, bool) {
	const publisher = "/publishers/anthropic/models/"
	at := strings.Index(l.Path, publisher)
	if at < 0 || l.Method != "POST" || !strings.HasPrefix(l.Path, "/v1/projects/") {
		return dialect.Call{}, false
	}
	name, action, ok := strings.Cut(l.Path[at+len(publisher):], ":")
	call := dialect.Call{Operation: llm.Chat, Stream: action == "streamRawPredict"}
	call.Model, ok = unescaped(name, ok && (call.Stream || action == "rawPredict"))
	return call, ok
}

func unescaped(name string, ok bool) (string, bool) {
	if !ok || name == "" || name == "count-tokens" {
		return "", false
	}
	return percent.Unescape(name)
}

// place puts model, version and stream where the target wants them. The document
// may be what an earlier target's edits made of the client's.
func place(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, t *dialect.Target) {
	c := cloudOf(t)
	switch {
	case c != nil:
		e.RemoveMember(doc, kModel)
		if !jsonx.Equal(interior(doc, kVersion), c.version) {
			e.SetMember(doc, kVersion, "anthropic_version", jsonx.Quote(nil, c.version))
		}
	default:
		if model := modelFor(f, doc, t); model != "" {
			e.SetMember(doc, kModel, "model", jsonx.Quote(nil, model))
		}
		e.RemoveMember(doc, kVersion)
	}
	if c != nil && !c.streams {
		e.RemoveMember(doc, kStream)
	} else if streams, _ := jsonx.Bool(doc.Raw(kStream)); f.Stream && !streams {
		e.SetMember(doc, kStream, "stream", []byte("true"))
	}
}

// modelFor is the model's name to write; empty when it stands there.
func modelFor(f *llm.Facts, doc *jsonx.Document, t *dialect.Target) string {
	_, named := doc.Get(kModel)
	switch {
	case t.Model != "" && !(named && jsonx.Equal(interior(doc, kModel), t.Model)):
		return t.Model
	case t.Model == "" && !named:
		return f.Model
	}
	return ""
}

// isAWS reports whether an error answer is Bedrock's own.
func isAWS(h dialect.Header, doc *jsonx.Document) bool {
	if h("x-amzn-errortype") != "" {
		return true
	}
	_, ours := doc.Get(mError)
	_, kind := jsonx.Lookup(doc.Body(), "__type")
	return kind && !ours
}

// onBedrock reports whether answers come as Bedrock's chunks.
func onBedrock(t *dialect.Target) bool { return t != nil && t.Flavour == bedrock }

func isChunks(mediaType string) bool { return mediaType == eventstream.MediaType }
