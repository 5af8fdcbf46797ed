package policy

import (
	"github.com/cedar-policy/cedar-go"

	"github.com/posterngw/postern/filters/identity"
)

const actionType = "Action"

// world is what one evaluation can look up: the entities that have parents or
// attributes. All others are names.
type world struct {
	principal cedar.Entity
	resource
}

type resource struct{ target, provider cedar.Entity }

// Get implements types.EntityGetter.
func (w *world) Get(uid cedar.EntityUID) (cedar.Entity, bool) {
	switch uid {
	case w.principal.UID:
		return w.principal, true
	case w.target.UID:
		return w.target, true
	case w.provider.UID:
		return w.provider, true
	}
	return cedar.Entity{}, false
}

func uid(kind cedar.EntityType, id string) cedar.EntityUID {
	return cedar.NewEntityUID(kind, cedar.String(id))
}

func principalEntity(p *identity.Principal) cedar.Entity {
	e := cedar.Entity{UID: principalUID(p)}
	var parents []cedar.EntityUID
	attrs := cedar.RecordMap{}
	for _, a := range []struct {
		kind     cedar.EntityType
		name, id string
	}{
		{"Key", identity.Key, p.Key},
		{"User", identity.User, p.User},
		{"Application", identity.Application, p.Application},
		{"Team", identity.Team, p.Team},
		{"Organisation", identity.Organisation, p.Organisation},
		{"Environment", identity.Environment, p.Environment},
	} {
		if a.id == "" {
			continue
		}
		attrs[cedar.String(a.name)] = cedar.String(a.id)
		if parent := uid(a.kind, a.id); parent != e.UID {
			parents = append(parents, parent)
		}
	}
	e.Parents = cedar.NewEntityUIDSet(parents...)
	e.Attributes = cedar.NewRecord(attrs)
	return e
}

// principalUID keeps keys, users and applications in namespaces of their own: a
// user who calls himself like a key is not that key.
func principalUID(p *identity.Principal) cedar.EntityUID {
	switch {
	case p.Key != "":
		return uid("Key", p.Key)
	case p.User != "":
		return uid("User", p.User)
	case p.Application != "":
		return uid("Application", p.Application)
	}
	return uid("Anonymous", "anonymous")
}

func newResource(k *targetKey) resource {
	provider := cedar.Entity{UID: uid("Provider", k.provider)}
	if k.boundary != "" {
		provider.Parents = cedar.NewEntityUIDSet(uid("Boundary", k.boundary))
	}
	return resource{targetEntity(k), provider}
}

func targetEntity(k *targetKey) cedar.Entity {
	var parents []cedar.EntityUID
	attrs := cedar.RecordMap{"name": cedar.String(k.name)}
	for _, a := range []struct {
		kind     cedar.EntityType
		name, id string
	}{
		{"Model", "model", k.model},
		{"Provider", "provider", k.provider},
		{"Boundary", "boundary", k.boundary},
		{"Region", "region", k.region},
	} {
		if a.id == "" {
			continue
		}
		attrs[cedar.String(a.name)] = cedar.String(a.id)
		parents = append(parents, uid(a.kind, a.id))
	}
	return cedar.Entity{UID: uid("Target", k.name), Parents: cedar.NewEntityUIDSet(parents...), Attributes: cedar.NewRecord(attrs)}
}

func newContext(k *contextKey, tokens int64) cedar.Record {
	m := cedar.RecordMap{"stream": cedar.Boolean(k.stream), estimatedTokens: cedar.Long(tokens)}
	if k.environment != "" {
		m["environment"] = cedar.String(k.environment)
	}
	return cedar.NewRecord(m)
}
