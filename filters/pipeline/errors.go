package pipeline

import (
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/limits"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

func clientError(status int, code, message string) *llm.Error {
	return &llm.Error{Class: llm.ClientError, Source: llm.FromClient, Status: status, Code: code, Message: message}
}

// internalError is Postern's own fault; cause is for operators only.
func internalError(cause string) *llm.Error {
	return &llm.Error{Class: llm.ProviderError, Source: llm.FromPostern, Status: 500, Code: "internal_error",
		Message: "the gateway failed to handle this request", Cause: cause}
}

func hostError(err error) *llm.Error {
	e := internalError(err.Error())
	e.Source, e.Code = llm.FromHost, "host_refused"
	if _, lacking := lack(err); lacking {
		e.Status, e.Code, e.Message = 503, hostUnsupported, unsupportedMessage
	}
	return e
}

// hostUnsupported is the code of what the configuration wants and the host lacks.
const (
	hostUnsupported    = "host_unsupported"
	unsupportedMessage = "the gateway is set up in a way that its proxy cannot run"
)

// badJSON tells a client where its body is wrong.
func badJSON(err *jsonx.Error) *llm.Error {
	switch err.Code {
	case "duplicate_key":
		e := clientError(400, "duplicate_key", "the body has the member \""+err.Key+"\" twice")
		e.Param = err.Key
		return e
	case "too_large":
		return clientError(413, "request_too_large", "the request's body is too large")
	case "depth":
		return clientError(400, "nesting_too_deep", "the body is nested too deeply, at byte "+strconv.Itoa(err.Offset))
	}
	return clientError(400, "invalid_json", "the body is not valid JSON: "+string(err.Code)+" at byte "+strconv.Itoa(err.Offset))
}

// refuse is the answer when a bound of the VM is reached.
func (m *Module) refuse(bound string) *llm.Error {
	m.refusals++
	return &llm.Error{Class: llm.Overloaded, Source: llm.FromPostern, Status: 503, Code: "gateway_overloaded",
		Message: "the gateway has no room for this request now", After: time.Second, Cause: "limit " + bound}
}

// unserved is the answer when no target of a model has the operation.
func unserved(op llm.Operation) *llm.Error {
	e := clientError(400, unsupportedOperation, "no target of this model serves the operation \""+op.String()+"\"")
	e.Source, e.Param = llm.FromPostern, "model"
	return e
}

// lost refuses a translation that leaves something out, where the model says so.
func lost(l *dialect.Ledger) *llm.Error {
	for i := range l.Entries {
		if x := &l.Entries[i]; x.Fate == dialect.Dropped {
			return dialect.Unsupported(x.Field, "\""+x.Field+"\" cannot be carried to the API that this model is served by: "+x.Why+".")
		}
	}
	return nil
}

func noModel(name string) *llm.Error {
	e := clientError(404, "model_not_found", "there is no model \""+limits.Cut(name, 200)+"\" that you may use")
	e.Param = "model"
	return e
}
