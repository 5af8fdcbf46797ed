package identity

// The names of a principal's attributes, as configuration, policies, budgets,
// metrics and audit records spell them.
const (
	Organisation = "organisation"
	Team         = "team"
	Application  = "application"
	User         = "user"
	Environment  = "environment"
	Key          = "key"
)

// Principal is who asks. An empty attribute is one that it does not have. It is
// comparable: equal principals are the same principal.
type Principal struct {
	Organisation string
	Team         string
	Application  string
	User         string
	Environment  string
	Key          string // the id of the API key; empty without one
}

// Attribute returns an attribute by its name; false if the name is unknown or
// the principal does not have the attribute.
func (p *Principal) Attribute(name string) (string, bool) {
	v := p.slot(name)
	if v == nil || *v == "" {
		return "", false
	}
	return *v, true
}

func (p *Principal) slot(name string) *string {
	switch name {
	case Organisation:
		return &p.Organisation
	case Team:
		return &p.Team
	case Application:
		return &p.Application
	case User:
		return &p.User
	case Environment:
		return &p.Environment
	case Key:
		return &p.Key
	}
	return nil
}
