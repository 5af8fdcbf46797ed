package bedrock

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// formats pairs the API's words for formats with media types. Of several types
// for one word the first is the word's.
var formats = []struct {
	kind         llm.PartKind
	word, medium string
}{
	{llm.ImagePart, "png", "image/png"}, {llm.ImagePart, "jpeg", "image/jpeg"}, {llm.ImagePart, "jpeg", "image/jpg"},
	{llm.ImagePart, "gif", "image/gif"}, {llm.ImagePart, "webp", "image/webp"},
	{llm.DocumentPart, "pdf", "application/pdf"}, {llm.DocumentPart, "txt", "text/plain"}, {llm.DocumentPart, "md", "text/markdown"},
	{llm.DocumentPart, "csv", "text/csv"}, {llm.DocumentPart, "html", "text/html"}, {llm.DocumentPart, "doc", "application/msword"},
	{llm.DocumentPart, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	{llm.DocumentPart, "xls", "application/vnd.ms-excel"},
	{llm.DocumentPart, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{llm.VideoPart, "mp4", "video/mp4"}, {llm.VideoPart, "mov", "video/quicktime"}, {llm.VideoPart, "mkv", "video/x-matroska"},
	{llm.VideoPart, "webm", "video/webm"}, {llm.VideoPart, "flv", "video/x-flv"}, {llm.VideoPart, "mpeg", "video/mpeg"},
	{llm.VideoPart, "mpg", "video/mpg"}, {llm.VideoPart, "wmv", "video/x-ms-wmv"}, {llm.VideoPart, "three_gp", "video/3gpp"},
	{llm.AudioPart, "mp3", "audio/mpeg"}, {llm.AudioPart, "mp3", "audio/mp3"}, {llm.AudioPart, "wav", "audio/wav"},
	{llm.AudioPart, "wav", "audio/x-wav"}, {llm.AudioPart, "flac", "audio/flac"}, {llm.AudioPart, "ogg", "audio/ogg"},
	{llm.AudioPart, "opus", "audio/opus"}, {llm.AudioPart, "aac", "audio/aac"}, {llm.AudioPart, "mp4", "audio/mp4"},
	{llm.AudioPart, "m4a", "audio/m4a"}, {llm.AudioPart, "webm", "audio/webm"}, {llm.AudioPart, "pcm", "audio/pcm"},
}

// mediaType is the media type of a format; nil when the word is unknown.
func mediaType(kind llm.PartKind, word llm.Escaped) llm.Escaped {
	for i := range formats {
		if formats[i].kind == kind && jsonx.Equal(word, formats[i].word) {
			return llm.Escaped(formats[i].medium)
		}
	}
	return nil
}

// formatOf is the format of a media type; without a type it is the kind's first.
func formatOf(kind llm.PartKind, medium llm.Escaped) string {
	name := strings.ToLower(dialect.Plain(medium, 100))
	name, _, _ = strings.Cut(name, ";")
	for i := range formats {
		if formats[i].kind == kind && (name == "" || formats[i].medium == name) {
			return formats[i].word
		}
	}
	return ""
}

// readMedia reads an image, a document, a video or audio.
func readMedia(kind llm.PartKind, raw []byte) llm.Part {
	p := llm.Part{Kind: kind}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "format":
			p.Media.Type = mediaType(kind, dialect.Text(&it))
		case "name":
			p.Media.Name = dialect.Text(&it)
		case "source":
			readSource(&p, it.Value())
		default:
			p.Extra = dialect.Keep(p.Extra, &it)
		}
	}
	if p.Media.Data == nil && p.Media.URL == nil {
		return llm.Part{Kind: llm.OtherPart, Other: raw}
	}
	return p
}

// readSource reads where a medium is. A document in plain text becomes the bytes
// of a text file.
func readSource(p *llm.Part, raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "bytes":
			p.Media.Data = dialect.Text(&it)
		case "s3Location":
			uri, _ := jsonx.Lookup(it.Value(), "uri")
			p.Media.URL = llm.Escaped(jsonx.Interior(uri))
			if owner, ok := jsonx.Lookup(it.Value(), "bucketOwner"); ok {
				p.Extra = append(p.Extra, llm.Field{Name: "bucketOwner", Value: owner})
			}
		case "text":
			p.Media.Type = llm.Escaped("text/plain")
			p.Media.Data = encoded(jsonx.Unescape(nil, dialect.Text(&it)))
		case "content":
			p.Media.Type = llm.Escaped("text/plain")
			p.Media.Data = encoded(jsonx.Unescape(nil, joined(it.Value())))
		}
	}
}

func encoded(text []byte) llm.Escaped { return base64.StdEncoding.AppendEncode(nil, text) }

// joined is the texts of a list of {"text": …}, a line each.
func joined(list []byte) []byte {
	var text []byte
	for it := jsonx.Elements(list); it.Next(); {
		raw, _ := jsonx.Lookup(it.Value(), "text")
		if len(text) > 0 {
			text = append(text, `\n`...)
		}
		text = append(text, jsonx.Interior(raw)...)
	}
	return text
}

const s3 = "s3://"

// media writes an image, a document, a video or audio: by value, or from S3.
func (e *encoder) media(name string, p *llm.Part) {
	format := formatOf(p.Kind, p.Media.Type)
	if format == "" {
		e.refuse(e.param("content"), "A medium of type "+dialect.Plain(p.Media.Type, 100))
		return
	}
	e.w.Object(name)
	e.w.Word("format", format)
	if p.Kind == llm.DocumentPart {
		e.name(p.Media.Name)
	}
	e.w.Object("source")
	switch {
	case p.Media.Data != nil:
		e.w.Text("bytes", p.Media.Data)
	case len(p.Media.URL) > len(s3) && string(p.Media.URL[:len(s3)]) == s3:
		e.w.Object("s3Location")
		e.w.Text("uri", p.Media.URL)
		e.w.Close('}')
	default:
		e.refuse(e.param("content"), "A medium that is neither in the request nor in S3")
	}
	e.w.Close('}')
	e.w.Close('}')
	if len(p.Media.Detail) > 0 {
		e.l.Drop("messages/*/content/*/image_url/detail", "the API has no levels of detail")
	}
}

// name writes a document's name in the characters that the API takes (letters,
// digits, single spaces, "-()[]"); a document without one is named by its place.
func (e *encoder) name(name llm.Escaped) {
	e.documents++
	text := dialect.Plain(name, 200)
	var b []byte
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', strings.IndexByte("-()[]", c) >= 0:
		case c == ' ' && len(b) > 0 && b[len(b)-1] != ' ':
		default:
			c = '-'
		}
		b = append(b, c)
	}
	if len(b) == 0 {
		e.w.Word("name", "document-"+strconv.Itoa(e.documents))
		return
	}
	e.w.Word("name", string(b))
}
