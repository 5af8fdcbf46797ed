package gemini

import (
	"bytes"
	"encoding/base64"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// A signature of another maker travels as what dialect.AppendSeal makes of it, in
// base64, since readers decode the field. The letter before says whether the whole
// block is opaque.
const (
	openMark   = "o:"
	opaqueMark = "r:"
)

// The marks in base64, as far as they fill whole characters: with what AppendSeal
// begins with no signature of the API's own looks so.
var (
	openPrefix   = base64.StdEncoding.EncodeToString([]byte(openMark + "postern."))[:13]
	opaquePrefix = base64.StdEncoding.EncodeToString([]byte(opaqueMark + "postern."))[:13]
)

// appendSignature appends what thoughtSignature holds for a signature.
func appendSignature(dst []byte, origin string, sign llm.Escaped, redacted bool) []byte {
	if origin == "" || origin == name {
		return append(dst, sign...)
	}
	mark := openMark
	if redacted {
		mark = opaqueMark
	}
	plain := jsonx.Unescape(nil, sign)
	return base64.StdEncoding.AppendEncode(dst, dialect.AppendSeal([]byte(mark), name, origin, plain))
}

// readSignature takes apart what thoughtSignature holds.
func readSignature(part *llm.Part, sign llm.Escaped) {
	part.Origin, part.Signature = name, sign
	opaque := bytes.HasPrefix(sign, []byte(opaquePrefix))
	if !opaque && !bytes.HasPrefix(sign, []byte(openPrefix)) {
		return
	}
	plain, err := base64.StdEncoding.DecodeString(string(jsonx.Unescape(nil, sign)))
	if err != nil || len(plain) < len(openMark) {
		return
	}
	origin, own := dialect.Unseal(name, plain[len(openMark):])
	if origin == name {
		return
	}
	part.Origin, part.Signature = origin, jsonx.Escape(nil, string(own))
	part.Redacted = opaque && part.Kind == llm.ReasoningPart
}
