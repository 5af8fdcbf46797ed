package envoy

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/authority"
	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/e2e/internal/upstream"
	"github.com/posterngw/postern/tools/mock"
)

// faulty is an Envoy with a model for each fault of each kind of provider, alone
// and with a second target that works.
type faulty struct {
	*envoytest.Envoy
	spare   *upstream.Server
	servers map[string]*upstream.Server // by dialect
	models  strings.Builder
	more    strings.Builder // providers
}

// kinds are the dialects that fail here, each with a model of its mock.
var kinds = []struct{ dialect, base, model string }{
	{"openai", "/v1", "gpt-4o"}, {"anthropic", "/v1", "claude-haiku-4-5"},
	{"gemini", "/v1beta", "gemini-2.5-flash"}, {"bedrock", "", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
}

// fault is what a target does wrong before the client has seen any of its answer.
type fault struct {
	name     string
	behave   string // of the mock
	extra    string // members of the target
	class    string // of the attempt
	modes    modes
	provider string // one that cannot be had otherwise; empty: of each kind
	// anthropic is the class where this provider's own word for it is another.
	anthropic string
}

// modes are how a client may ask.
type modes uint8

const (
	whole modes = 1 << iota
	streamed
	both = whole | streamed
)

func (m modes) each(t *testing.T, do func(t *testing.T, stream bool)) {
	for mode, name := range map[modes]string{whole: "whole", streamed: "streamed"} {
		if m&mode != 0 {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				do(t, mode == streamed)
			})
		}
	}
}

var faults = []fault{
	{name: "401", behave: "401", class: "auth", modes: both},
	{name: "429", behave: "429", class: "rate_limited", modes: both},
	{name: "429-after", behave: "rate-limit=9", class: "rate_limited", modes: both},
	{name: "quota", behave: "quota", class: "quota_exhausted", modes: both},
	{name: "500", behave: "500", class: "provider", modes: both},
	{name: "503", behave: "503", class: "overloaded", modes: both, anthropic: "provider"},
	{name: "529", behave: "529", class: "overloaded", modes: both},
	{name: "html", behave: "html", class: "malformed", modes: both},
	{name: "html-502", behave: "html=502", class: "provider", modes: both},
	{name: "empty", behave: "empty-body", class: "malformed", modes: both},
	{name: "malformed", behave: "malformed", class: "malformed", modes: whole},
	{name: "reset", behave: "reset-before-headers", class: "provider", modes: both},
	{name: "close", behave: "close-after-request", class: "provider", modes: both},
	{name: "reset-mid-answer", behave: "reset-mid-stream", class: "provider", modes: whole},
	{name: "hang", behave: "hang", extra: ", timeout: 400ms", class: "timeout", modes: both},
	{name: "drip", behave: "slow=300ms", extra: ", timeout: 400ms", class: "timeout", modes: both},
	{name: "late", behave: "first=20s", extra: ", first_token: 400ms", class: "timeout", modes: streamed},
	// Streams that are 200 and fail before they say anything.
	{name: "error-first", behave: "stream-error-first", class: "overloaded", modes: streamed},
	{name: "error-opened", behave: "stream-error-opened", class: "overloaded", modes: streamed},
	// Where there is no provider to speak to.
	{name: "refused", provider: "refused", class: "provider", modes: both},
	{name: "no-name", provider: "no-name", class: "provider", modes: both},
	{name: "no-tls", provider: "no-tls", class: "provider", modes: both},
	{name: "untrusted", provider: "untrusted", class: "provider", modes: both},
	{name: "other-name", provider: "other-name", class: "provider", modes: both},
}

// broken is a way to break off a stream that has begun.
type broken struct {
	behave, extra string
	event         bool // the client gets an error event, and not a broken message
	class, end    string
}

var alone = []broken{
	{"stream-error-mid", "", true, "overloaded", "complete"},
	{"cut-mid-stream", "", true, "malformed", "complete"},
	{"reset-mid-stream", "", false, "provider", "upstream_reset"},
	{"close-mid-stream", "", false, "provider", "upstream_reset"},
	{"hang-mid-stream", ", idle: 400ms", false, "timeout", "upstream_reset"},
	// It goes on, but too long: an error event, and then the end of the connection.
	{"slow=40ms", ", total: 2500ms", true, "timeout", "upstream_reset"},
}

// model is the name of the model of a broken stream.
func (b *broken) model(dialect string) string {
	return dialect + "-" + strings.NewReplacer("=", "-", ",", "-").Replace(b.behave)
}

func startFaulty(t *testing.T) *faulty {
	f := &faulty{servers: map[string]*upstream.Server{}}
	serve := func(dialect string) *upstream.Server {
		s, err := upstream.Start(dialect, mock.Options{Keys: map[string][]string{dialect: {"sk-e2e"}}, Remember: 1 << 12})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Stop()) })
		return s
	}
	f.spare = serve("openai")
	f.provider("spare", "openai", f.spare.URL+"/v1")
	for _, k := range kinds {
		s := serve(k.dialect)
		f.servers[k.dialect] = s
		f.provider(k.dialect, k.dialect, s.URL+k.base)
	}
	ca := authority.New(t)
	f.network(t, ca)
	for _, one := range faults {
		for _, k := range kinds {
			f.model(&one, k.dialect, k.model)
		}
	}
	for _, k := range kinds {
		for _, b := range alone {
			name := b.model(k.dialect)
			fmt.Fprintf(&f.models, "  %s: {max_output: 512, targets: [{name: %s/1, provider: %s, model: %q%s}, {name: %s/2, provider: spare, model: gpt-4o, priority: 1}]}\n",
				name, name, k.dialect, k.model+"!"+b.behave, b.extra, name)
		}
	}
	authorities := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(authorities, []byte(ca.PEM()), 0o600))
	f.Envoy = start(t, envoytest.Options{Workers: 2, Env: []string{"E2E_KEY=sk-e2e"}, CA: authorities, Config: `
version: 1
identity: {anonymous: {}}
health:
  failures: [] # each test by itself
  targets:
    shut/1: {failures: [provider], consecutive: 1, open: 40s}
    shut/2: {failures: [overloaded], consecutive: 1, open: 30s}
retries: {min_per_second: 1000}
providers:
` + f.more.String() + "models:\n" + f.models.String()})
	return f
}

func (f *faulty) provider(name, dialect, url string) {
	fmt.Fprintf(&f.more, "  %s: {dialect: %s, url: %q, credentials: [\"env:E2E_KEY\"]}\n", name, dialect, url)
}

// network adds the providers that cannot be spoken to, and one that can over TLS.
func (f *faulty) network(t *testing.T, ca *authority.Authority) {
	f.provider("refused", "openai", shared.refusing+"/v1")
	f.provider("no-name", "openai", "http://nobody.invalid/v1")
	f.provider("no-tls", "openai", strings.Replace(f.spare.URL, "http://127.0.0.1", "https://localhost", 1)+"/v1")
	m := mock.New(mock.Options{})
	t.Cleanup(m.Close)
	handler, err := m.Handler("openai")
	require.NoError(t, err)
	for name, certificate := range map[string]tls.Certificate{
		"secure": ca.Sign(t, "localhost"), "other-name": ca.Sign(t, "other.test"),
		"untrusted": authority.New(t).Sign(t, "localhost"),
	} {
		s := httptest.NewUnstartedServer(handler)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		s.Config.ErrorLog = silent()
		s.StartTLS()
		t.Cleanup(s.Close)
		f.provider(name, "openai", strings.Replace(s.URL, "127.0.0.1", "localhost", 1)+"/v1")
	}
	fmt.Fprint(&f.models, "  secure: {targets: [{provider: secure, model: gpt-4o}]}\n",
		"  shut: {targets: [{name: shut/1, provider: openai, model: gpt-4o!500}, {name: shut/2, provider: anthropic, model: claude-haiku-4-5!529, priority: 1}]}\n")
}

// model adds the model of a fault, or nothing where a dialect has none of its own.
func (f *faulty) model(one *fault, dialect, model string) {
	provider := dialect
	if one.provider != "" {
		provider, model = one.provider, "gpt-4o"
		if dialect != "openai" {
			return
		}
	} else {
		model += "!" + one.behave
	}
	name := dialect + "-" + one.name
	fmt.Fprintf(&f.models, "  %s: {max_output: 512, targets: [{name: %s/1, provider: %s, model: %q%s}, {name: %s/2, provider: spare, model: gpt-4o-mini, priority: 1}]}\n",
		name, name, provider, model, one.extra, name)
	fmt.Fprintf(&f.models, "  %s-alone: {max_output: 512, targets: [{name: %s-alone, provider: %s, model: %q%s}]}\n", name, name, provider, model, one.extra)
	fmt.Fprintf(&f.models, "  %s-down: {max_output: 512, targets: [{name: %s-down/1, provider: %s, model: %q%s}, {name: %s-down/2, provider: spare, model: \"gpt-4o!rate-limit=9\", priority: 1}]}\n",
		name, name, provider, model, one.extra, name)
}

// clientAPI is how a client asks, and how it reads what it gets.
type clientAPI struct {
	name, path string
	body       string // after the model's name
	end        string // of a stream
	event      string // how an error event begins
}

var clientAPIs = []clientAPI{
	{"openai", "/v1/chat/completions", `"messages":[{"role":"user","content":"sally port"}]`, "data: [DONE]", `{"error":{`},
	{"anthropic", "/v1/messages", `"max_tokens":256,"messages":[{"role":"user","content":"sally port"}]`, "event: message_stop", `{"type":"error","error":{`},
}

// got is what a client got.
type got struct {
	id     string
	status int
	header http.Header
	text   string
	err    error // of reading it
}

func (f *faulty) ask(t *testing.T, c *clientAPI, model string, stream bool) got {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	body := fmt.Sprintf(`{"model":%q,"stream":%v,%s}`, model, stream, c.body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL+c.path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("content-type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	return got{res.Header.Get("x-request-id"), res.StatusCode, res.Header, string(text), err}
}

// said is the text of an answer.
func (g *got) said(t *testing.T) string {
	var all strings.Builder
	lines := []string{g.text}
	if strings.HasPrefix(g.header.Get("content-type"), "text/event-stream") {
		lines = strings.Split(g.text, "\n")
	}
	for _, line := range lines {
		line = strings.TrimPrefix(line, "data: ")
		var piece struct {
			Choices []struct {
				Delta, Message struct{ Content string }
			}
			Delta   struct{ Text string }
			Content []struct{ Text string }
		}
		if !strings.HasPrefix(line, "{") {
			continue
		}
		require.NoError(t, json.Unmarshal([]byte(line), &piece), line)
		for _, c := range piece.Choices {
			all.WriteString(c.Delta.Content + c.Message.Content)
		}
		for _, c := range piece.Content {
			all.WriteString(c.Text)
		}
		all.WriteString(piece.Delta.Text)
	}
	return all.String()
}

// TestFaults: each fault, of each kind of provider, for clients of two dialects,
// whole and streamed: made good by a second target, told alone, and told together
// with a second one's.
func TestFaults(t *testing.T) {
	t.Parallel()
	f := startFaulty(t)
	t.Run("all", func(t *testing.T) {
		for _, fault := range faults {
			for _, k := range kinds {
				one := fault
				if one.provider != "" && k.dialect != "openai" {
					continue
				}
				for i := range clientAPIs {
					c := &clientAPIs[i]
					model := k.dialect + "-" + one.name
					if k.dialect == "anthropic" {
						one.class = cmp.Or(one.anthropic, one.class)
					}
					t.Run(model+"/for-"+c.name, func(t *testing.T) {
						one.modes.each(t, func(t *testing.T, stream bool) { f.check(t, c, &one, model, stream) })
					})
				}
			}
		}
		f.secure(t)
		f.shut(t)
		f.brokenOff(t)
	})
	quiet(t, f.Envoy)
}

func (f *faulty) check(t *testing.T, c *clientAPI, one *fault, model string, stream bool) {
	g := f.ask(t, c, model, stream)
	require.NoError(t, g.err)
	require.Equal(t, 200, g.status, g.text)
	require.Contains(t, g.said(t), "sally port")
	if stream {
		require.Equal(t, 1, strings.Count(g.text, c.end), g.text)
	}
	require.Empty(t, g.header.Get("x-postern-retry"))
	r, err := f.Audit(g.id)
	require.NoError(t, err)
	require.Len(t, r.Attempts, 2)
	require.Equal(t, one.class, r.Attempts[0].Class, "%+v", r)
	require.Empty(t, r.Attempts[1].Class)
	require.Len(t, f.spare.Of(g.id), 1)

	g = f.ask(t, c, model+"-alone", stream)
	require.NoError(t, g.err)
	require.GreaterOrEqual(t, g.status, 429, g.text)
	require.True(t, strings.HasPrefix(g.text, c.event), g.text)
	require.NotContains(t, g.text, `"causes"`)

	g = f.ask(t, c, model+"-down", stream)
	require.NoError(t, g.err)
	f.down(t, c, one, g)
	require.Len(t, f.spare.Of(g.id), 1)
	if one.provider == "" {
		dialect, _, _ := strings.Cut(model, "-")
		require.Len(t, f.servers[dialect].Of(g.id), 1, "nobody is asked twice")
	}
	for name := range g.header {
		require.NotContains(t, name, "X-Envoy")
		require.NotEqual(t, "X-Postern-Retry", name)
	}
}

// toldError is what OpenAI's and Anthropic's errors have in common.
type toldError struct {
	Error struct {
		Message string
		Code    string
		Causes  []struct {
			Target, Class, Code string
			After               int `json:"retry_after"`
		}
	}
}

// exhausted reads the error of a request that no target served.
func (g *got) exhausted(t *testing.T, c *clientAPI) *toldError {
	require.True(t, strings.HasPrefix(g.text, c.event), g.text)
	told := &toldError{}
	require.NoError(t, json.Unmarshal([]byte(g.text), told), g.text)
	require.Len(t, told.Error.Causes, 2, g.text)
	return told
}

// down checks the error of a request all of whose targets failed.
func (f *faulty) down(t *testing.T, c *clientAPI, one *fault, g got) {
	told := g.exhausted(t, c)
	require.Equal(t, one.class, told.Error.Causes[0].Class)
	require.Equal(t, "rate_limited", told.Error.Causes[1].Class)
	require.Equal(t, 9, told.Error.Causes[1].After)
	soonest := 9
	if first := told.Error.Causes[0].After; first > 0 {
		soonest = min(soonest, first)
	}
	require.Equal(t, strconv.Itoa(soonest), g.header.Get("retry-after"))
	if one.class == "rate_limited" {
		require.Equal(t, 429, g.status, g.text)
		return
	}
	require.Equal(t, 503, g.status, g.text)
	require.Equal(t, "all_targets_failed", told.Error.Code)
	require.Contains(t, told.Error.Message, one.class+", rate_limited")
}

// secure shows that it is not TLS itself that fails.
func (f *faulty) secure(t *testing.T) {
	t.Run("secure", func(t *testing.T) {
		g := f.ask(t, &clientAPIs[0], "secure", false)
		require.Equal(t, 200, g.status, "%s\n%s", g.text, f.Access(g.id))
		require.Contains(t, g.said(t), "sally port")
	})
}

// shut: when every target is shut out a request is answered at once: with what is
// wrong with each, and with when the first may be tried.
func (f *faulty) shut(t *testing.T) {
	t.Run("shut", func(t *testing.T) {
		g := f.ask(t, &clientAPIs[0], "shut", false)
		require.Equal(t, "all_targets_failed", g.exhausted(t, &clientAPIs[0]).Error.Code)
		for i := range clientAPIs {
			c := &clientAPIs[i]
			for _, stream := range []bool{false, true} {
				g := f.ask(t, c, "shut", stream)
				require.Equal(t, 503, g.status, g.text)
				told := g.exhausted(t, c)
				require.Equal(t, "no_healthy_target", told.Error.Code)
				require.Equal(t, "provider", told.Error.Causes[0].Class)
				require.Equal(t, "overloaded", told.Error.Causes[1].Class)
				after, err := strconv.Atoi(g.header.Get("retry-after"))
				require.NoError(t, err)
				require.True(t, after > 0 && after <= 30, after)
				require.Equal(t, after, told.Error.Causes[1].After)
				require.Greater(t, told.Error.Causes[0].After, after)
				r, err := f.Audit(g.id)
				require.NoError(t, err)
				require.Empty(t, r.Attempts)
			}
		}
	})
}

// brokenOff: after the first content nothing is tried again. The stream ends with
// a typed error event of the client's dialect, or, when the provider's connection
// broke, in the middle of the message.
func (f *faulty) brokenOff(t *testing.T) {
	for _, k := range kinds {
		for _, b := range alone {
			for i := range clientAPIs {
				c := &clientAPIs[i]
				t.Run(b.model(k.dialect)+"/for-"+c.name, func(t *testing.T) {
					t.Parallel()
					g := f.ask(t, c, b.model(k.dialect), true)
					require.Equal(t, 200, g.status)
					require.Equal(t, b.event && b.class != "timeout", g.err == nil, "%v\n%s", g.err, g.text)
					require.Equal(t, b.event, strings.Contains(g.text, "\ndata: "+c.event), g.text)
					require.True(t, g.err == nil || errors.Is(g.err, io.ErrUnexpectedEOF), "%v", g.err)
					require.Empty(t, f.spare.Of(g.id))
					r, err := f.Audit(g.id)
					require.NoError(t, err)
					require.Equal(t, b.end, r.End)
					require.Len(t, r.Attempts, 1)
					require.Equal(t, b.class, r.Attempts[0].Class)
				})
			}
		}
	}
}

// silent takes what servers log of handshakes that are meant to fail.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }
