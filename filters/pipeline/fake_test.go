package pipeline

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/openai"
)

// fakeVM is a proxy without streams of its own: a clock, shared data, metrics.
type fakeVM struct {
	now     time.Time
	shared  map[string]sharedValue
	env     map[string]string
	metrics []string
	logs    []string
	reads   []string // of shared data
}

type sharedValue struct {
	value   []byte
	version uint32
}

func newVM() *fakeVM {
	return &fakeVM{now: time.Unix(1_800_000_000, 0), shared: map[string]sharedValue{}, env: map[string]string{"KEY": "sk-provider"}}
}

func (v *fakeVM) Memory() uint64           { return 1 << 20 }
func (v *fakeVM) Now() time.Time           { return v.now }
func (v *fakeVM) Log(_ Level, line string) { v.logs = append(v.logs, line) }
func (v *fakeVM) Env(name string) string   { return v.env[name] }
func (v *fakeVM) Add(uint32, int64)        {}
func (v *fakeVM) Record(uint32, uint64)    {}
func (v *fakeVM) TickEvery(uint32) bool    { return true }
func (v *fakeVM) Metric(_ MetricKind, name string) (uint32, bool) {
	v.metrics = append(v.metrics, name)
	return uint32(len(v.metrics)), true
}

func (v *fakeVM) Shared(key string) ([]byte, uint32, bool) {
	v.reads = append(v.reads, key)
	s, ok := v.shared[key]
	return s.value, s.version, ok
}

func (v *fakeVM) SetShared(key string, value []byte, version uint32) bool {
	s := v.shared[key]
	if _, there := v.shared[key]; there && version != 0 && version != s.version {
		return false
	}
	v.shared[key] = sharedValue{append([]byte(nil), value...), s.version + 1}
	return true
}

func (v *fakeVM) Call(Callout, func(*CalloutAnswer)) error { return errors.New("no callouts here") }

// fakeStream records what a stage does. Filter state is shared by the stages of
// one request.
type fakeStream struct {
	headers [2][][2]string
	body    [2][]byte
	state   map[string]string
	asked   []string // properties
	replies int
	resumed [2]int
	refuse  string // the host call that fails
	err     error
}

func (s *fakeStream) note(call string) {
	if call == s.refuse && s.err == nil {
		s.err = errors.New(call + " refused")
	}
}

func (s *fakeStream) Headers(side Side) [][2]string { return s.headers[side] }

func (s *fakeStream) Header(side Side, name string) (string, bool) {
	for _, h := range s.headers[side] {
		if h[0] == name {
			return h[1], true
		}
	}
	return "", false
}

func (s *fakeStream) SetHeader(side Side, name, value string) {
	s.note("set_header")
	s.RemoveHeader(side, name)
	s.headers[side] = append(s.headers[side], [2]string{name, value})
}

func (s *fakeStream) RemoveHeader(side Side, name string) {
	var kept [][2]string
	for _, h := range s.headers[side] {
		if h[0] != name {
			kept = append(kept, h)
		}
	}
	s.headers[side] = kept
}

func (s *fakeStream) Body(side Side, offset, size int) []byte {
	b := s.body[side]
	offset = min(offset, len(b))
	return append([]byte(nil), b[offset:min(offset+size, len(b))]...)
}

func (s *fakeStream) SetBody(side Side, b []byte) {
	s.note("set_body")
	s.body[side] = append([]byte(nil), b...)
}

func (s *fakeStream) Property(path ...string) (string, bool) {
	name := strings.Join(path, ".")
	s.asked = append(s.asked, name)
	v, ok := s.state[name]
	return v, ok
}

func (s *fakeStream) SetProperty(name, value string) {
	s.note("set_property")
	s.state[name] = value
}

func (s *fakeStream) ClearRouteCache()                       { s.note("clear_route_cache") }
func (s *fakeStream) Reply(int, [][2]string, []byte, string) { s.replies++ }
func (s *fakeStream) Resume(side Side)                       { s.resumed[side]++ }
func (s *fakeStream) Activate()                              {}
func (s *fakeStream) Err() error {
	err := s.err
	s.err = nil
	return err
}

const testConfig = `{"version":1,
"providers":{"one":{"dialect":"openai","url":"https://one.test/v1","credentials":["env:KEY"]},
             "two":{"dialect":"anthropic","url":"https://two.test"}},
"models":{"fast":{"max_output":100,"targets":[{"provider":"one","model":"m1"},{"provider":"two","model":"m2","priority":1}]}},
"identity":{"anonymous":{"team":"search"}},
"limits":{"body":4096,"in_flight":65536,"streams":8,"hold_bytes":1024},
"budgets":{"tokens":{"unit":"tokens","limit":100000,"window":"hour"}}}`

func newModule(t require.TestingT, gather ...Gatherer) (*Module, *plugin, *plugin) {
	if h, ok := t.(*testing.T); ok {
		h.Helper()
	}
	m := New(newVM(), []*dialect.Dialect{openai.New(), anthropic.New()}, gather...)
	client, provider := m.Plugin().(*plugin), m.Plugin().(*plugin)
	require.True(t, client.Configure([]byte(testConfig)), "%v", m.vm.(*fakeVM).logs)
	require.True(t, provider.Configure([]byte(ProviderConfig)))
	return m, client, provider
}
