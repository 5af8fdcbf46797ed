package openai

import (
	"math"
	"strconv"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// maxInputs is the API's bound on the inputs of one request.
const maxInputs = 2048

type embeddingList struct {
	Object string      `json:"object"`
	Data   []embedding `json:"data"`
	Model  string      `json:"model"`
	Usage  struct {
		Prompt int `json:"prompt_tokens"`
		Total  int `json:"total_tokens"`
	} `json:"usage"`
}

type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"` // numbers, or base64 of 32-bit floats
}

// embed answers POST /v1/embeddings. Texts that share words get vectors that
// are close, so that a semantic cache can be tested.
func (d Dialect) embed(x *core.Exchange) core.Reply {
	body, model, f := core.Open(x, d, embedders(), checkEmbedding)
	if f != nil {
		return d.Refuse(x, *f)
	}
	inputs, f := readInputs(body.Get("input"))
	if f != nil {
		return d.Refuse(x, *f)
	}
	size := max(model.Embedding, 64)
	if want := body.Get("dimensions"); want != nil {
		switch {
		case strings.HasPrefix(model.ID, "text-embedding-ada"):
			return d.Refuse(x, *invalid("", "", "This model does not support specifying dimensions."))
		case want.Int(0) > size:
			return d.Refuse(x, *invalid("dimensions", "", "Invalid value for 'dimensions' = %d. Must be less than or equal to %d.", want.Int(0), size))
		}
		size = want.Int(0)
	}
	return d.embeddings(x, model, inputs, size, body.Get("encoding_format").Str() == "base64")
}

// checkEmbedding words one bound as this endpoint was seen to: in the manner of
// an older validator.
func checkEmbedding(_ *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
	if n, ok := body.Get("dimensions").Float(); ok && n < 1 {
		return invalid("", "", "%s is less than the minimum of 1 - 'dimensions'", body.Get("dimensions").Text)
	}
	return check(body, embeddingSpec)
}

func (d Dialect) embeddings(x *core.Exchange, model *core.Model, inputs []string, size int, packed bool) core.Reply {
	out := embeddingList{Object: "list", Model: model.Snapshot}
	for i, in := range inputs {
		n := core.CountTokens(in)
		if n > model.Window {
			return d.Refuse(x, *invalid("", "", "This model's maximum context length is %d tokens, however you requested %d tokens (%d in your prompt; 0 for the completion). Please reduce your prompt; or completion length.", model.Window, n, n))
		}
		out.Usage.Prompt += n
		e := embedding{Object: "embedding", Index: i}
		if vector := x.World.Vector(in, size); packed {
			e.Vector = core.PackVector(vector)
		} else {
			e.Vector = vector
		}
		out.Data = append(out.Data, e)
	}
	out.Usage.Total = out.Usage.Prompt
	return core.Reply{
		Status: 200, Header: header(x, jsonType), Body: indented(out),
		Usage: &core.Usage{Input: out.Usage.Prompt}, Reports: true,
	}
}

// readInputs takes the four forms of input: a text, texts, tokens, lists of
// tokens.
func readInputs(input *strict.Value) ([]string, *core.Fault) {
	bad := invalid("input", "invalid_type", "Invalid type for 'input': expected a string, an array of strings, an array of integers, or an array of arrays of integers.")
	if input.Kind == strict.String {
		return []string{input.Text}, nil
	}
	if input.Items[0].Kind == strict.Number {
		tokens, ok := tokenText(input)
		if !ok {
			return nil, bad
		}
		return []string{tokens}, nil
	}
	var out []string
	for i, item := range input.Items {
		text, ok := item.Str(), item.Kind == strict.String
		if item.Kind == strict.Array {
			text, ok = tokenText(item)
		}
		if !ok || item.Kind != input.Items[0].Kind {
			return nil, bad
		}
		if text == "" {
			return nil, invalid("input["+strconv.Itoa(i)+"]", "", "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
		}
		out = append(out, text)
	}
	return out, nil
}

// tokenText spells tokens so that each of them counts as one.
func tokenText(tokens *strict.Value) (string, bool) {
	var b strings.Builder
	for _, t := range tokens.Items {
		n, ok := t.Float()
		if !ok || n < 0 || n != math.Trunc(n) || n > 1_000_000 {
			return "", false
		}
		b.WriteString(" " + strconv.FormatInt(int64(n), 36))
	}
	return b.String(), b.Len() > 0
}
