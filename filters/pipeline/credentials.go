package pipeline

import (
	"github.com/posterngw/postern/filters/credential"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/sha256"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// outside is the proxy as credentials see it.
type outside struct{ VM }

// Call sends a request for a token.
func (o outside) Call(x *credential.Exchange, done func(status int, body []byte)) error {
	return o.VM.Call(Callout(*x), func(a *CalloutAnswer) {
		if a == nil {
			a = &CalloutAnswer{}
		}
		done(a.Status, a.Body)
	})
}

// Tell tells operators.
func (o outside) Tell(line string) { o.Log(Warn, "postern: "+line) }

// unlock fetches the credentials that the configuration refers to.
func (sn *Snapshot) unlock(c *Config, vm VM) error {
	sn.credentials = make(map[*route.Provider]*credential.Source, len(sn.routes.Providers))
	for i, p := range sn.routes.Providers {
		source, err := credential.New(p.Name, &c.Route.Providers[i].Value.Credentials, outside{vm})
		if err != nil {
			return err
		}
		sn.credentials[p] = source
		if source.Waits() {
			sn.renewed = append(sn.renewed, source)
		}
	}
	return nil
}

// renew renews the credentials that expire, and ends what takes too long under
// configurations that only finish their requests.
func (m *Module) renew(serving *Snapshot) {
	now := m.vm.Now()
	for _, s := range serving.renewed {
		s.Tick(now, true)
	}
	for _, sn := range m.serving {
		if sn == serving {
			continue
		}
		for _, s := range sn.renewed {
			s.Tick(now, false)
		}
	}
}

// client is who asks, for a credential.
func (r *request) client() credential.Client {
	return credential.Client{Own: r.ownKeys, Who: &r.principal}
}

// credentials begins to wait for the credentials of the targets that the
// request may go to, where none is valid.
func (g *gathered) credentials() {
	r := g.c.r
	model, _ := r.named()
	if len(r.snap.renewed) == 0 || model == nil {
		return
	}
	client := r.client()
	for _, t := range model.Targets {
		g.pending++
		if r.snap.credentials[t.Provider].Ready(&client, func() { g.done(nil) }) {
			g.pending--
		}
	}
}

// unlocked says why a request cannot be authenticated at a target; empty when it
// can. The first such error is what the client gets if nothing else serves it.
func (r *request) unlocked(t *route.Target) (reason string) {
	client := r.client()
	e := r.snap.credentials[t.Provider].Check(&client)
	if e == nil {
		return ""
	}
	if r.lock == nil {
		r.lock = e
	}
	return e.Code
}

// sum takes the digest of the body that leaves the client stage, if the first
// target's credential covers it.
func (r *request) sum(body []byte, doc *jsonx.Document) {
	if !r.encoded || !r.snap.credentials[r.plan.Targets[0].Provider].Signs() {
		return
	}
	if body == nil {
		body = doc.Body()
	}
	r.digest = sha256.Sum256(body)
}

// authenticate adds the provider's credential to an attempt whose body is
// whole, or, if that does not matter, at once. none says that there is no body.
func (p *providerStage) authenticate(path string, none bool) *llm.Error {
	switch {
	case !p.source().Signs():
		return p.sign(path, nil)
	case p.r.encoded && p.a == 0:
		return p.sign(path, &p.r.digest)
	case none:
		sum := sha256.Sum256(nil)
		return p.sign(path, &sum)
	}
	return nil // encode does it
}

func (p *providerStage) source() *credential.Source { return p.r.snap.credentials[p.target().Provider] }

// sign sets the headers of the credential. sum is the digest of the body that
// leaves; nil when it is not covered.
func (p *providerStage) sign(path string, sum *[sha256.Size]byte) *llm.Error {
	t, auth := p.target(), &p.m.auth
	codec := p.attempt().api.Provider
	*auth = credential.Attempt{
		Method: p.r.method, Host: t.Provider.Host, Path: path, Now: p.attempt().began, Client: p.r.client(),
		Key: func(key string) (string, string) { return codec.Credential(&t.Codec, key) },
	}
	if sum != nil {
		auth.Sum = *sum
	}
	headers, e := p.source().Headers(p.m.keys[:0], auth)
	if e != nil {
		return e
	}
	p.attempt().slot = auth.Slot
	if len(p.r.plan.Targets) > 1 {
		p.attempt().headers = p.source().Left(p.attempt().headers, auth)
	}
	for _, h := range headers {
		p.set(h[0], h[1])
	}
	return nil
}

// resign signs the body that this stage has written.
func (p *providerStage) resign(body []byte) *llm.Error {
	if !p.source().Signs() {
		return nil
	}
	t := p.target()
	sum := sha256.Sum256(body)
	return p.sign(p.attempt().api.Provider.Path(&p.r.facts, &t.Codec), &sum)
}
