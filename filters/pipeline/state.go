package pipeline

import (
	"strings"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/state"
)

// elsewhere is the reason of a target that has not got what a request refers to.
const elsewhere = "state_elsewhere"

// unmark takes the marks off the ids in a body and notes what they say.
func (r *request) unmark(body []byte) []byte {
	if r.snap.state == nil || len(r.dialect.Kept) == 0 || r.call.Raw {
		return body
	}
	clean := r.snap.state.Body(body, r.dialect.Kept, r.snap.providers, &r.refs)
	r.unmarked = r.unmarked || len(clean) != len(body)
	return clean
}

// unmarkPath does the same for the path of a call that is passed on.
func (r *request) unmarkPath(rest string) string {
	if rest == "" || r.snap.state == nil {
		return rest
	}
	return r.snap.state.Path(rest, r.dialect.Kept, r.snap.providers, &r.refs)
}

// locate finds the provider that a request must go to for what it refers to. It
// also tells whether the answer's own ids are to be marked.
func (r *request) locate() *llm.Error {
	refs, several := &r.refs, r.model.Several()
	passing := r.call.Operation == llm.Passthrough
	r.marks = r.snap.state != nil && (several || passing && len(r.snap.providers) > 1)
	if e := misled(refs); e != nil {
		return e
	}
	needs := r.facts.Needs&llm.NeedState != 0 || passing && refs.Unknown != ""
	switch {
	case refs.Home != "" && (needs || passing || refs.Firm):
		r.home = refs.Home
		if !r.model.At(r.home) {
			return stateError(elsewhere, "id", "what the request refers to is kept by a provider that does not serve "+r.served())
		}
	case !several:
		return nil
	case needs && !r.model.StateFirst && r.snap.state == nil:
		return stateError("state_unknown", refs.Unknown, "the request refers to what one provider keeps, and targets at several could serve it: "+
			"the gateway needs `state.key`, or `state: first` for this model")
	case needs && !r.model.StateFirst:
		return stateError("state_unknown", refs.Unknown, "the request refers to what one provider keeps, by an id that did not come through this gateway")
	case needs || passing && r.facts.Model == "":
		r.home = r.model.Targets[0].Provider.Name
	}
	return nil
}

func (r *request) served() string {
	if r.facts.Model == "" {
		return "this path"
	}
	return "the model " + r.facts.Model
}

// misled refuses marks that cannot be followed.
func misled(refs *state.Refs) *llm.Error {
	switch {
	case refs.Bad != "":
		return stateError("state_unknown", refs.Bad, "the id's mark was not made for it by this gateway, or its provider is not configured any more")
	case refs.Mixed != "":
		return stateError("state_mixed", refs.Mixed, "the request refers to what different providers keep: none has all of it")
	}
	return nil
}

func stateError(code, param, message string) *llm.Error {
	e := clientError(400, code, message)
	e.Param = param
	return e
}

// isContent reports whether a path leads to what a client stored, which is not the
// provider's to write.
func isContent(rest string) bool {
	rest, _, _ = strings.Cut(rest, "?")
	return strings.HasSuffix(rest, "/content") || strings.HasSuffix(rest, ":download")
}

// marker marks the ids in the answer of the attempt in hand; nil when they stay
// as they are.
func (p *providerStage) marker() *state.Marker {
	a := p.attempt()
	if !p.r.marks || !a.same || !p.r.api.Keeps || isContent(p.r.call.Rest) {
		return nil
	}
	return p.r.snap.state.NewMarker(a.target.Provider.Name, p.r.dialect.Kept)
}
