//go:build !wasip1

package proxywasm

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/host"
	"github.com/stretchr/testify/require"
)

// fakeHost plays the proxy under the host calls. It has one set of headers,
// bodies and properties, whichever context is active, and writes down calls.
type fakeHost struct {
	headers    map[mapType][][2]string
	buffers    map[bufferType][]byte
	properties map[string]string
	shared     map[string]string
	refuse     map[string]Status // by the name of the call
	elsewhere  bool              // point results at other memory
	effective  uint32
	log        []string
	token      uint32
	tick       uint32

	oversize uint32 // announce results of this size
}

// newFake puts a fake under the host calls and clears the package's state.
func newFake() *fakeHost {
	f := &fakeHost{
		headers: map[mapType][][2]string{}, buffers: map[bufferType][]byte{},
		properties: map[string]string{}, shared: map[string]string{}, refuse: map[string]Status{},
	}
	reset()
	f.installHeaders()
	f.installRest()
	return f
}

func reset() {
	for id := range plugins {
		dispatch(atDelete, id, 0, 0, 0)
	}
	streams = table{buckets: make([]*stream, firstBuckets)}
	running, inbox, onPanic = frame{}, mailbox{}, nil
	machine.metrics = map[metricKey]uint32{}
	machine.callouts = map[uint32]func(*host.CalloutAnswer){}
}

// did writes a call down and says how it is answered.
func (f *fakeHost) did(call string, args ...string) Status {
	f.log = append(f.log, strings.Join(append([]string{call}, args...), " "))
	return f.refuse[call]
}

// give delivers a result as hosts do.
func (f *fakeHost) give(b []byte, addr, size *uint32) Status {
	if f.oversize > 0 {
		if inbox.allocate(f.oversize) == nil {
			return InvalidMemoryAccess
		}
		*addr, *size = addressOf(inbox.last), f.oversize
		return OK
	}
	if len(b) == 0 {
		*addr, *size = 0, 0
		return OK
	}
	m := inbox.allocate(uint32(len(b)))
	copy(m, b)
	*addr, *size = addressOf(m), uint32(len(b))
	if f.elsewhere {
		*addr += 8
	}
	return OK
}

func (f *fakeHost) get(m mapType, name string) (string, bool) {
	for _, p := range f.headers[m] {
		if p[0] == name {
			return p[1], true
		}
	}
	return "", false
}

func (f *fakeHost) remove(m mapType, name string) {
	kept := f.headers[m][:0]
	for _, p := range f.headers[m] {
		if p[0] != name {
			kept = append(kept, p)
		}
	}
	f.headers[m] = kept
}

func (f *fakeHost) installHeaders() {
	proxyGetHeaderMapValue = func(m mapType, name string, addr, size *uint32) Status {
		if st := f.did("get_header_map_value", name); st != OK {
			return st
		}
		v, ok := f.get(m, name)
		if !ok {
			return NotFound
		}
		return f.give([]byte(v), addr, size)
	}
	proxyGetHeaderMapPairs = func(m mapType, addr, size *uint32) Status {
		if st := f.did("get_header_map_pairs"); st != OK {
			return st
		}
		return f.give(appendPairs(nil, f.headers[m]), addr, size)
	}
	proxyReplaceHeaderMapValue = func(m mapType, name, value string) Status {
		if st := f.did("replace_header_map_value", name, value); st != OK {
			return st
		}
		f.remove(m, name)
		f.headers[m] = append(f.headers[m], [2]string{strings.Clone(name), strings.Clone(value)})
		return OK
	}
	proxyRemoveHeaderMapValue = func(m mapType, name string) Status {
		f.remove(m, name)
		return f.did("remove_header_map_value", name)
	}
}

func (f *fakeHost) installRest() {
	proxyLog = func(level uint32, line string) Status {
		return f.did("log", strconv.Itoa(int(level)), strings.Split(line, "\n")[0])
	}
	proxyGetBufferBytes = func(b bufferType, start, length uint32, addr, size *uint32) Status {
		if st := f.did("get_buffer_bytes"); st != OK {
			return st
		}
		data := f.buffers[b]
		data = data[min(int(start), len(data)):]
		return f.give(data[:min(int(length), len(data))], addr, size)
	}
	proxySetBufferBytes = func(b bufferType, _, _ uint32, data string) Status {
		f.buffers[b] = []byte(data)
		return f.did("set_buffer_bytes", data)
	}
	proxyGetProperty = func(path string, addr, size *uint32) Status {
		if st := f.did("get_property", path); st != OK {
			return st
		}
		v, ok := f.properties[path]
		if !ok {
			return NotFound
		}
		return f.give([]byte(v), addr, size)
	}
	proxySetProperty = func(path, value string) Status {
		f.properties[strings.Clone(path)] = strings.Clone(value)
		return f.did("set_property", path, value)
	}
	proxySendLocalResponse = func(code uint32, detail, body, headers string, grpc int32) Status {
		pairs, _ := decodePairs([]byte(headers))
		return f.did("send_local_response", f.context(), strconv.Itoa(int(code)), detail, body, strconv.Itoa(len(pairs)), strconv.Itoa(int(grpc)))
	}
	proxyContinueStream = func(side uint32) Status { return f.did("continue_stream", strconv.Itoa(int(side))) }
	proxySetEffectiveContext = func(id uint32) Status {
		f.effective = id
		return f.did("set_effective_context", strconv.Itoa(int(id)))
	}
	proxyCallForeignFunction = func(name, _ string, _, _ *uint32) Status { return f.did("call_foreign_function", name) }
	f.installVM()
}

// context is who the host takes calls to be about.
func (f *fakeHost) context() string { return strconv.Itoa(int(running.effective)) }

func (f *fakeHost) installVM() {
	proxySetTickPeriod = func(ms uint32) Status { f.tick = ms; return f.did("set_tick_period") }
	proxyGetSharedData = func(key string, addr, size, version *uint32) Status {
		v, ok := f.shared[key]
		if !ok {
			return NotFound
		}
		*version = 7
		return f.give([]byte(v), addr, size)
	}
	proxySetSharedData = func(key, value string, version uint32) Status {
		if version != 0 && version != 7 {
			return CasMismatch
		}
		f.shared[strings.Clone(key)] = strings.Clone(value)
		return OK
	}
	proxyDefineMetric = func(kind uint32, name string, id *uint32) Status {
		f.token++
		*id = f.token
		return f.did("define_metric", name)
	}
	proxyIncrementMetric = func(id uint32, n int64) Status {
		return f.did("increment_metric", strconv.Itoa(int(id)), strconv.Itoa(int(n)))
	}
	proxyRecordMetric = func(id uint32, v uint64) Status {
		return f.did("record_metric", strconv.Itoa(int(id)), strconv.Itoa(int(v)))
	}
	proxyHTTPCall = func(cluster, headers, body, trailers string, ms uint32, id *uint32) Status {
		f.token++
		*id = f.token
		return f.did("http_call", cluster, body, strconv.Itoa(int(ms)))
	}
}

// fakePlugin makes stages that write down what they are told.
type fakePlugin struct {
	vm      host.VM
	config  string
	refused bool
	ticking bool
	ticks   int
	made    []*fakeStage
	on      func(s *fakeStage, callback string) // runs inside every callback
}

func (p *fakePlugin) Configure(raw []byte) bool {
	p.config = string(raw)
	p.during(nil, "configure")
	return !p.refused
}

func (p *fakePlugin) Stream(s host.Stream) host.Callbacks {
	st := &fakeStage{Stream: s, plugin: p}
	p.during(st, "stream")
	p.made = append(p.made, st)
	return st
}

func (p *fakePlugin) Tick() { p.ticks++; p.during(nil, "tick") }

func (p *fakePlugin) during(s *fakeStage, callback string) {
	if p.on != nil {
		p.on(s, callback)
	}
}

type fakeStage struct {
	host.Stream
	plugin *fakePlugin
	heard  []string
	answer host.Action
	causes []string
}

func (s *fakeStage) hear(callback string, details ...string) host.Action {
	s.heard = append(s.heard, strings.Join(append([]string{callback}, details...), " "))
	s.plugin.during(s, callback)
	return s.answer
}

func (s *fakeStage) RequestHeaders(end bool) host.Action {
	return s.hear("request_headers", strconv.FormatBool(end))
}

func (s *fakeStage) RequestBody(size int, end bool) host.Action {
	return s.hear("request_body", strconv.Itoa(size), strconv.FormatBool(end))
}
func (s *fakeStage) RequestTrailers() host.Action { return s.hear("request_trailers") }
func (s *fakeStage) ResponseHeaders(end bool) host.Action {
	return s.hear("response_headers", strconv.FormatBool(end))
}

func (s *fakeStage) ResponseBody(size int, end bool) host.Action {
	return s.hear("response_body", strconv.Itoa(size), strconv.FormatBool(end))
}
func (s *fakeStage) ResponseTrailers() host.Action { return s.hear("response_trailers") }
func (s *fakeStage) Done()                         { s.hear("done") }
func (s *fakeStage) Recovered(cause string) host.Action {
	s.causes = append(s.causes, cause)
	return s.hear("recovered")
}

// start registers a plugin and configures it as context 1.
func start(t require.TestingT, p *fakePlugin) {
	Register(func(vm host.VM) host.Plugin {
		p.vm = vm
		return p
	})
	dispatch(atContextCreate, 1, 0, 0, 0)
	require.EqualValues(t, 1, dispatch(atVMStart, 1, 0, 0, 0))
	require.EqualValues(t, 1, dispatch(atConfigure, 1, 0, 0, 0))
}

// begin opens a stream of context 1.
func begin(p *fakePlugin, id uint32) *fakeStage {
	dispatch(atContextCreate, id, 1, 0, 0)
	return p.made[len(p.made)-1]
}
