package anthropic

import (
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// countTokens answers POST /v1/messages/count_tokens.
func (d Dialect) countTokens(x *core.Exchange) core.Reply {
	body, m, f := core.Open(x, d, catalogue(), func(x *core.Exchange, b *strict.Value, _ *core.Model) *core.Fault {
		return check(x, b, countSpec)
	})
	if f == nil {
		f = checkRules(x, withMaxTokens(body), m)
	}
	if f != nil {
		return d.Refuse(x, *f)
	}
	var p core.Prompt
	countInput(&p, body, merge(body.Get("messages").List()))
	out := encode(map[string]int{"input_tokens": p.Input.Input})
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: out}
}

// withMaxTokens lets a count pass the rules that are about max_tokens.
func withMaxTokens(body *strict.Value) *strict.Value {
	budget := body.Get("thinking").Get("budget_tokens").Int(0)
	out := *body
	out.Fields = append(out.Fields[:len(out.Fields):len(out.Fields)], strict.Field{
		Name: "max_tokens", Value: &strict.Value{Kind: strict.Number, Text: strconv.Itoa(budget + 1)},
	})
	return &out
}

type modelList struct {
	Data    []model `json:"data"`
	HasMore bool    `json:"has_more"`
	First   *string `json:"first_id"`
	Last    *string `json:"last_id"`
}

type model struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Display string `json:"display_name"`
	Created string `json:"created_at"`
}

func entry(m core.Model) model {
	id := m.Snapshot
	if id == "" {
		id = m.ID
	}
	return model{"model", id, m.Display, time.Unix(m.Created, 0).UTC().Format(time.RFC3339)}
}

func allModels(x *core.Exchange) []model {
	var out []model
	for _, m := range catalogue() {
		out = append(out, entry(m))
	}
	for _, name := range x.World.Models {
		if !strings.HasSuffix(name, "*") {
			out = append(out, entry(core.Model{ID: name, Display: name, Created: 1700000009}))
		}
	}
	return out
}

// models answers GET /v1/models, page by page.
func (d Dialect) models(x *core.Exchange) core.Reply {
	if f := x.Fails(d); f != nil {
		return d.Refuse(x, *f)
	}
	limit := 20
	if text := x.Query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return d.Refuse(x, *invalid("limit: Input should be between 1 and 1000"))
		}
		limit = n
	}
	page := window(allModels(x), x.Query.Get("after_id"), x.Query.Get("before_id"))
	out := modelList{Data: page[:min(limit, len(page))], HasMore: len(page) > limit}
	if n := len(out.Data); n > 0 {
		out.First, out.Last = &out.Data[0].ID, &out.Data[n-1].ID
	}
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: encode(out)}
}

func window(all []model, after, before string) []model {
	out := []model{}
	taking := after == ""
	for _, m := range all {
		if m.ID == before {
			break
		}
		if taking {
			out = append(out, m)
		}
		taking = taking || m.ID == after
	}
	return out
}

// model answers GET /v1/models/{model}.
func (d Dialect) model(x *core.Exchange) core.Reply {
	x.Model = core.LastSegment(x.Path)
	m, err := x.Ask(x.Model, catalogue())
	if err != nil || m == nil {
		return d.Refuse(x, d.Fault(core.NoModel, x))
	}
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: encode(entry(*m))}
}
