package anthropic

import (
	"maps"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// Carried is the Messages API within another provider's: bodies say their version,
// and neither the model nor whether they are streamed, which x.Stream says (source:
// Amazon Bedrock's user guide, "Anthropic Claude Messages API").
func Carried(models []core.Model) core.Chat { return carried{models: models} }

type carried struct {
	messages
	models []core.Model
}

// Catalogue implements core.Chat.
func (c carried) Catalogue() []core.Model { return c.models }

// Check implements core.Chat.
func (carried) Check(x *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
	return check(x, body, carriedSpec)
}

// Read implements core.Chat.
func (c carried) Read(x *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	stream := x.Stream
	t, f := c.messages.Read(x, body, m)
	x.Stream = stream
	return t, f
}

// carriedSpec lacks what is the API's own: its tiers, regions and containers.
var carriedSpec = func() *strict.Spec {
	fields := maps.Clone(messagesSpec.Fields)
	for _, name := range []string{"model", "stream", "container", "diagnostics", "inference_geo", "service_tier", "speed"} {
		delete(fields, name)
	}
	fields["anthropic_version"] = strict.Req(strict.OneOf("bedrock-2023-05-31"))
	fields["anthropic_beta"] = strict.Opt(strict.List(strict.Str()))
	return strict.Obj(fields)
}()
