package pipeline

import (
	"github.com/posterngw/postern/filters/estimate"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// estimatedHeader names what of an answer is the gateway's own estimate.
const estimatedHeader = ownPrefix + "estimated"

// What is estimated besides text, about as models count it.
const (
	tokensOfTurn  = 4
	tokensOfTool  = 12
	tokensOfMedia = 258
)

// uncounted reports whether a request to count tokens failed only since no target of
// the model counts: the gateway then counts as well as it can, for those whom the
// policies let ask one of them.
func (r *request) uncounted(e *llm.Error) bool {
	if r.call.Operation != llm.CountTokens || e.Code != unsupportedOperation {
		return false
	}
	for _, t := range r.model.Targets {
		if r.snap.decide(r, actionOf(r.call.Operation), r.model, t).Allowed {
			return true
		}
	}
	return false
}

// count answers a request to count tokens with an estimate.
func (c *clientStage) count(doc *jsonx.Document) outcome {
	req, e := c.r.api.Client.Decode(c.r.facts, doc)
	if e != nil {
		return c.fail(e)
	}
	a := llm.Answer{Size: tokensOf(req)}
	return c.reply(200, c.r.api.Client.AppendAnswer(nil, &c.r.facts, c.r.id, &a, nil), 0, [2]string{estimatedHeader, "tokens"})
}

// tokensOf estimates the tokens of a request.
func tokensOf(r *llm.Request) int64 {
	var n int64
	for i := range r.Messages {
		n += tokensOfTurn + tokensOfParts(r.Messages[i].Parts)
	}
	for i := range r.Tools {
		t := &r.Tools[i]
		n += tokensOfTool + estimate.Escaped(t.Name) + estimate.Escaped(t.Description) + estimate.Text(t.Schema)
	}
	return n
}

func tokensOfParts(parts []llm.Part) (n int64) {
	for i := range parts {
		p := &parts[i]
		n += estimate.Escaped(p.Text) + estimate.Escaped(p.Call.Name) + estimate.Escaped(p.Call.Arguments) + estimate.Text(p.Call.Input) +
			tokensOfParts(p.Result.Parts)
		switch p.Kind {
		case llm.ImagePart, llm.AudioPart, llm.DocumentPart, llm.VideoPart:
			n += tokensOfMedia
		}
	}
	return n
}
