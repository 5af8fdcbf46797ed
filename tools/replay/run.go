package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
	"github.com/posterngw/postern/tools/scenario"
)

// Options say how exchanges are replayed.
type Options struct {
	Module  hosttest.Module
	Profile hosttest.Profile
	// Only is the name of the one client API to try, "dialect/api"; empty: all.
	Only string
	// Partitions is how many random partitions of a stream are tried, beside
	// every byte alone and the cuts near delimiters.
	Partitions int
}

// Outcome is what became of one exchange.
type Outcome struct {
	ID       string    `json:"id"`
	File     string    `json:"file"`
	Line     int       `json:"line"`
	API      string    `json:"api"`               // of the recorded request
	Pairs    []string  `json:"pairs,omitempty"`   // client APIs that were tried
	Apart    []string  `json:"apart,omitempty"`   // client APIs that cannot get such an answer
	Skipped  string    `json:"skipped,omitempty"` // why nothing was tried
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is a check that failed.
type Problem struct {
	Client string `json:"client"` // dialect/api
	Cut    string `json:"cut,omitempty"`
	What   string `json:"what"`
}

// Failed reports whether a check failed.
func (o *Outcome) Failed() bool { return len(o.Problems) > 0 }

// epoch is when replays happen.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// alias is the name by which the clients of other APIs ask for the recorded model.
const alias = "replayed"

// replay is one exchange on its way through the module.
type replay struct {
	Options
	x        *Exchange
	route    Route
	dialects []*dialect.Dialect
	name     string // of the recorded API
	api      *dialect.API
	call     dialect.Call
	facts    llm.Facts
	asked    bool   // for a stream
	streamed bool   // is the answer
	sides    []side // that can ask for the recorded answer in other words
	host     *hosttest.Host
	out      Outcome
}

// Run replays one exchange.
func Run(x *Exchange, o Options) Outcome {
	r := &replay{Options: o, x: x, route: RouteOf(x), dialects: builtin.Dialects(),
		out: Outcome{ID: x.ID, File: x.File, Line: x.Line}}
	if r.out.Skipped = r.prepare(); r.out.Skipped != "" {
		return r.out
	}
	defer func() {
		if err := r.host.Close(); err != nil {
			r.fail(r.name, "", "closing the host: "+err.Error())
		}
	}()
	r.own()
	r.foreign()
	if misuse := r.host.Misuse(); len(misuse) > 0 {
		r.fail(r.name, "", "a real host would suffer: "+misuse[0])
	}
	return r.out
}

func (r *replay) fail(client, cut, what string) {
	const enough = 8
	if len(r.out.Problems) < enough {
		r.out.Problems = append(r.out.Problems, Problem{client, cut, what})
	}
}

// prepare reads the request and starts a host for it; otherwise it says why not.
func (r *replay) prepare() string {
	if why := r.understand(); why != "" {
		return why
	}
	for _, s := range sides(r.dialects, r.call.Operation) {
		var ok bool
		switch s.flavour, ok = r.flavour(s.of); {
		case s.name == r.name:
		case ok && !r.legacy() && (r.asked || !s.api.streams) && !(s.api.single && r.several()):
			r.sides = append(r.sides, s)
		default:
			r.out.Apart = append(r.out.Apart, s.name)
		}
	}
	return r.start()
}

// understand reads the request; otherwise it says why not.
func (r *replay) understand() string {
	r.name, r.api, r.call = own(r.dialects, r.x, &r.route)
	if r.api == nil {
		return "no client API of " + r.route.Dialect + " has the request line " + r.x.Method + " " + r.route.Path
	}
	r.out.API = r.name
	doc, err := r.document()
	if err != nil {
		return "the recorded request is not valid: " + err.Error()
	}
	var e *llm.Error
	r.call.Type = r.x.Headers["content-type"]
	if r.facts, e = r.api.Client.Facts(r.call, doc); e != nil {
		return "the recorded request is refused: " + e.Message
	}
	r.asked = r.facts.Stream || r.call.Stream
	r.streamed = r.asked && !r.x.failed()
	return ""
}

// Counted is what a recorded answer says of usage, read without the module's help;
// nil when it says nothing, or is in no form that is known here.
func Counted(x *Exchange) *Usage {
	r := &replay{x: x, route: RouteOf(x), dialects: builtin.Dialects()}
	if r.understand() != "" || x.failed() {
		return nil
	}
	api, known := apis[r.name]
	if !known {
		return nil
	}
	said, err := api.read(r.streamed, x.Body)
	if err != nil || said.Error != "" {
		return nil
	}
	return said.Usage
}

// several reports whether the recorded answer has more than one vector.
func (r *replay) several() bool {
	a, known := apis[r.name]
	if !known {
		return false
	}
	said, err := a.read(r.streamed, r.x.Body)
	return err == nil && said.Items > 1
}

// legacy reports whether the recorded request has a form in which no request is
// written any more: no translation leads to such an answer.
func (r *replay) legacy() bool {
	if r.name != "bedrock/invoke" {
		return false
	}
	v, err := decode(r.x.Request)
	return err != nil || v.at("max_tokens_to_sample").is() || strings.Contains(r.x.URL.Path, "ai21.") || strings.Contains(r.x.URL.Path, "sagemaker")
}

func (r *replay) document() (*jsonx.Document, error) {
	doc := &jsonx.Document{}
	if r.call.Raw || r.call.Bare && len(r.x.Request) == 0 {
		doc.Hold(r.x.Request)
		return doc, nil
	}
	if err := doc.Scan(r.x.Request, r.api.Client.Inspected(), jsonx.Limits{}); err != nil {
		return nil, err
	}
	return doc, nil
}

// start configures a host with the recorded provider behind the recorded model.
func (r *replay) start() string {
	type object = map[string]any
	provider := object{"dialect": r.route.Dialect, "url": r.route.URL}
	if r.route.Flavour != "" {
		provider["flavour"] = r.route.Flavour
	}
	if r.route.Version != "" {
		provider["version"] = r.route.Version
	}
	if r.facts.Model == "" {
		provider["passthrough"] = true
	}
	providers := object{"recorded": provider}
	target := func(provider string) object {
		return object{"targets": []object{{"provider": provider, "model": r.upstream()}}}
	}
	models := object{}
	for _, flavour := range r.flavours() {
		name := "as-" + flavour
		providers[name] = flavoured(provider, flavour)
		models[alias+flavour] = target(name)
	}
	if len(models) == 0 || r.facts.Model != "" {
		models[cmp.Or(r.facts.Model, alias)] = target("recorded")
	}
	text, err := json.Marshal(object{"version": 1, "providers": providers, "models": models,
		"identity": object{"anonymous": object{"team": "replay"}}, "health": object{"failures": []string{}}, "limits": object{"body": 8 << 20, "answer": 8 << 20, "in_flight": 64 << 20}})
	if err != nil {
		return err.Error()
	}
	node, c, errs := gateway.Load("replay", text)
	if len(errs) > 0 {
		return "no configuration for it: " + errs.Error()
	}
	r.host, err = hosttest.New(gateway.Host(gateway.Options{Module: r.Module, Node: node, Config: c, Profile: r.Profile,
		Clock: hosttest.NewVirtualClock(epoch)}))
	if err != nil {
		return err.Error()
	}
	return ""
}

// flavoured is a provider in another flavour.
func flavoured(provider map[string]any, flavour string) map[string]any {
	other := map[string]any{}
	for name, v := range provider {
		if name != "flavour" && name != "passthrough" {
			other[name] = v
		}
	}
	if flavour != "" {
		other["flavour"] = flavour
	}
	return other
}

// flavours are those of the recorded dialect in which a side's request is asked
// in the recorded API.
func (r *replay) flavours() []string {
	seen := map[string]bool{}
	var list []string
	for _, s := range r.sides {
		if !seen[s.flavour] {
			seen[s.flavour] = true
			list = append(list, s.flavour)
		}
	}
	return list
}

// flavour is that of the recorded dialect in which a client's request is
// translated to the recorded API; false when every target has the client's own.
func (r *replay) flavour(a *dialect.API) (string, bool) {
	for _, d := range r.dialects {
		if d.Name != r.route.Dialect {
			continue
		}
		for _, f := range append([]string{r.route.Flavour, ""}, d.Flavours...) {
			asked, same := d.Serves(a, &r.facts, &dialect.Target{Flavour: f, Model: r.upstream()})
			if asked == r.api && !same {
				return f, true
			}
		}
	}
	return "", false
}

func (r *replay) upstream() string {
	if r.facts.Model == "" {
		return "none"
	}
	return r.facts.Model
}

// own replays the request as it was recorded.
func (r *replay) own() {
	if r.Only != "" && r.Only != r.name {
		return
	}
	r.out.Pairs = append(r.out.Pairs, r.name)
	client := side{name: r.name, api: apis[r.name]}
	ask := asking{method: r.x.Method, path: r.route.Path, headers: r.x.Headers, body: string(r.x.Request)}
	got := r.send(&client, &ask, scenario.Whole)
	r.kept(&got)
	r.judge(&client, &got, true)
	r.cut(&client, &ask, &got, true)
}

// foreign replays the answer through every other client API of the operation.
func (r *replay) foreign() {
	if r.call.Operation == llm.Passthrough {
		return
	}
	if _, readable := apis[r.name]; !readable {
		r.fail(r.name, "", "the replay cannot read this API")
		return
	}
	for _, s := range r.sides {
		if r.Only != "" && r.Only != s.name {
			continue
		}
		r.out.Pairs = append(r.out.Pairs, s.name)
		ask := r.plain(&s)
		got := r.send(&s, &ask, scenario.Whole)
		r.judge(&s, &got, false)
		r.cut(&s, &ask, &got, false)
	}
}

// cut tries the answer in pieces: what the client gets and what is counted must
// not depend on it.
func (r *replay) cut(s *side, ask *asking, whole *passed, own bool) {
	for name, cut := range r.cuts(own) {
		got := r.send(s, ask, cut)
		switch {
		case got.body != whole.body:
			r.fail(s.name, name, fmt.Sprintf("the client got %s, and whole %s", tail(got.body, whole.body), tail(whole.body, got.body)))
		case string(got.record.Usage) != string(whole.record.Usage):
			r.fail(s.name, name, fmt.Sprintf("counted %s, and whole %s", got.record.Usage, whole.record.Usage))
		}
	}
}

// tail is where a begins to differ from b.
func tail(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return strconv.Itoa(n) + ":" + strconv.Quote(shorten(a[n:]))
}

// effort is how many ways of cutting an answer are tried.
type effort struct {
	bytes      int // longest stream that is fed byte by byte
	places     int // cuts near delimiters: of more, every n-th
	partitions int // at random
}

// effort is least for answers that are not streamed: the module waits for their
// end anyhow. Cuts meet the decoder of the provider's stream, which is the same
// for every client: the recorded API is tried hardest.
func (r *replay) effort(own bool) effort {
	switch {
	case !r.streamed:
		return effort{partitions: 2}
	case own:
		return effort{bytes: 16 << 10, places: 48, partitions: r.Partitions}
	}
	return effort{bytes: 4 << 10, places: 6, partitions: (r.Partitions + 15) / 16}
}

// cuts are the ways in which an answer is split.
func (r *replay) cuts(own bool) map[string]scenario.Cutter {
	cuts, e := map[string]scenario.Cutter{}, r.effort(own)
	if len(r.x.Body) <= e.bytes {
		cuts["byte by byte"] = scenario.Bytes
	}
	if e.places > 0 {
		places := scenario.Delimiters(string(r.x.Body))
		for i, step := 0, len(places)/e.places+1; i < len(places); i += step {
			cuts["at "+strconv.Itoa(places[i])] = scenario.At(places[i])
		}
	}
	for seed := range e.partitions {
		cuts["pieces "+strconv.Itoa(seed)] = scenario.Pieces(uint64(seed))
	}
	return cuts
}
