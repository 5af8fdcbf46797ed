package openai

import (
	"fmt"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
)

type modelList struct {
	Object string  `json:"object"`
	Data   []model `json:"data"`
}

type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Owner   string `json:"owned_by"`
}

func entry(m core.Model) model {
	return model{ID: m.ID, Object: "model", Created: m.Created, Owner: "system"}
}

func allModels(x *core.Exchange) []core.Model {
	all := append(catalogue(), embedders()...)
	for _, name := range x.World.Models {
		if !strings.HasSuffix(name, "*") {
			all = append(all, core.Model{ID: name, Created: 1700000009})
		}
	}
	return all
}

// models answers GET /v1/models.
func (d Dialect) models(x *core.Exchange) core.Reply {
	if f := x.Fails(d); f != nil {
		return d.Refuse(x, *f)
	}
	out := modelList{Object: "list"}
	for _, m := range allModels(x) {
		out.Data = append(out.Data, entry(m))
	}
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: indented(out)}
}

// model answers GET /v1/models/{model}.
func (d Dialect) model(x *core.Exchange) core.Reply {
	x.Model = core.LastSegment(x.Path)
	for _, m := range allModels(x) {
		if m.ID == x.Model || m.Snapshot == x.Model {
			return core.Reply{Status: 200, Header: header(x, jsonType), Body: indented(entry(m))}
		}
	}
	f := d.Fault(core.NoModel, x)
	f.Message = fmt.Sprintf("The model '%s' does not exist", x.Model)
	f.Param = "model"
	return d.Refuse(x, f)
}
