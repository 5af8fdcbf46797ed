package envoy

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/e2e/internal/upstream"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/tools/mock"
)

// world is what the tests share: one Envoy with the whole configuration, and
// the providers behind it. Tests tell their requests apart by the request id.
type world struct {
	envoy     *envoytest.Envoy
	openai    *upstream.Server
	anthropic *upstream.Server
	spare     *upstream.Server // a second one that speaks OpenAI's dialect
	refusing  string
	stop      []func() error
	keys      map[string]string // as clients present them, by id
	hashes    map[string]string
}

var shared world

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	code := 1
	err := shared.start()
	if err == nil {
		code = m.Run()
		err = shared.envoy.Healthy()
	}
	if err = errors.Join(err, envoytest.StopAll(shared.stop)); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	return code
}

func (w *world) start() error {
	err := errors.Join(w.makeKeys(), w.providers())
	if err != nil {
		return err
	}
	w.envoy, err = envoytest.Start(envoytest.Options{Config: w.config(wholeConfig), Workers: 2, Env: environment})
	if err == nil {
		w.stop = append(w.stop, w.envoy.Stop)
	}
	return err
}

// environment holds the providers' keys.
var environment = []string{"E2E_OPENAI_KEY=sk-e2e-openai", "E2E_ANTHROPIC_KEY=sk-e2e-anthropic", "E2E_SPARE_KEY=sk-e2e-spare"}

func (w *world) providers() error {
	for _, p := range []struct {
		server  **upstream.Server
		dialect string
		key     string
	}{{&w.openai, "openai", "sk-e2e-openai"}, {&w.anthropic, "anthropic", "sk-e2e-anthropic"}, {&w.spare, "openai", "sk-e2e-spare"}} {
		s, err := upstream.Start(p.dialect, mock.Options{Keys: map[string][]string{p.dialect: {p.key}}, Remember: 1 << 16})
		if err != nil {
			return err
		}
		*p.server = s
		w.stop = append(w.stop, s.Stop)
	}
	url, release, err := upstream.Refusing()
	w.refusing = url
	w.stop = append(w.stop, release)
	return err
}

// config fills the addresses and the hashes of the keys into the text of a
// configuration.
func (w *world) config(text string) string {
	pairs := []string{"$OPENAI", w.openai.URL, "$ANTHROPIC", w.anthropic.URL, "$SPARE", w.spare.URL, "$REFUSING", w.refusing}
	for id, hash := range w.hashes {
		pairs = append(pairs, "$HASH_"+id, hash)
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	if mode != "" {
		text = "mode: " + mode + "\n" + text
	}
	return text
}

// mode is the mode that the module runs in, the default's when empty: the same
// tests run in each.
var mode = os.Getenv("POSTERN_MODE")

// makeKeys makes the keys of this run.
func (w *world) makeKeys() (err error) {
	w.keys, w.hashes = map[string]string{}, map[string]string{}
	for _, id := range []string{"alice", "bob", "carol"} {
		if w.keys[id], w.hashes[id], err = identity.NewKey(rand.Reader, id); err != nil {
			return err
		}
	}
	return nil
}
