package gemini

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// AppendError writes a google.rpc.Status under "error" (Google Cloud APIs, errors),
// with an ErrorInfo that holds the code, the request's id and the part at fault,
// and a Struct with the causes of an error that several targets share.
func (*client) AppendError(dst []byte, e *llm.Error, requestID string) []byte {
	w := dialect.Writer{B: dst}
	status := e.Status
	if status == 0 {
		status = e.Class.Status()
	}
	w.Begin('{')
	w.Object("error")
	w.Int("code", int64(status))
	w.Quote("message", e.Message)
	w.Word("status", statusName(status))
	w.Array("details")
	w.Open('{')
	w.Word("@type", "type.googleapis.com/google.rpc.ErrorInfo")
	w.Quote("reason", e.Code)
	w.Word("domain", "postern")
	w.Object("metadata")
	if requestID != "" {
		w.Quote("request_id", requestID)
	}
	if e.Param != "" {
		w.Quote("field", e.Param)
	}
	w.Close('}')
	w.Close('}')
	if e.After > 0 {
		w.Open('{')
		w.Word("@type", "type.googleapis.com/google.rpc.RetryInfo")
		w.Word("retryDelay", strconv.FormatInt(int64(e.After.Seconds()+0.999), 10)+"s")
		w.Close('}')
	}
	if len(e.Targets) > 0 {
		w.Open('{')
		w.Word("@type", "type.googleapis.com/google.protobuf.Struct")
		w.Object("value")
		w.Causes(e)
		w.Close('}')
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
	w.Close('}')
	return w.B
}

// statusName is the code (google.rpc.Code) for an HTTP status; the first of a status
// in the table.
func statusName(status int) string {
	for _, s := range statuses {
		if s.status == status {
			return s.word
		}
	}
	if status < 500 {
		return "INVALID_ARGUMENT"
	}
	return "INTERNAL"
}

// AppendStreamError writes the error as the last event.
func (c *client) AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte {
	dst = append(dst, "data: "...)
	return append(c.AppendError(dst, e, requestID), "\n\n"...)
}

// AppendModels writes a page that holds all models.
func (*client) AppendModels(dst []byte, names []string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Array("models")
	for _, n := range names {
		w.Open('{')
		writeModel(&w, n)
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
	return w.B
}

func writeModel(w *dialect.Writer, model string) {
	w.Quote("name", "models/"+model)
	w.Quote("displayName", model)
	w.Word("version", "1")
	w.Literal("supportedGenerationMethods", `["generateContent","streamGenerateContent","countTokens","embedContent","batchEmbedContents"]`)
}
