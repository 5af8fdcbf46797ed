package proxywasm

import (
	"math"
	"os"
	"time"

	"github.com/posterngw/postern/filters/host"
)

// The host's log levels.
const (
	levelDebug    = 1
	levelInfo     = 2
	levelWarn     = 3
	levelCritical = 5
)

// clockRealtime is the WASI clock of the day.
const clockRealtime = 0

// vm is the one host.VM of a module instance.
type vm struct {
	metrics  map[metricKey]uint32
	callouts map[uint32]func(*host.CalloutAnswer)
	ns       uint64 // where the host writes the time
}

type metricKey struct {
	kind host.MetricKind
	name string
}

var _ host.VM = (*vm)(nil)

var machine = &vm{
	metrics:  map[metricKey]uint32{},
	callouts: map[uint32]func(*host.CalloutAnswer){},
}

// Now asks the host once; time.Now would ask for a second, monotonic reading.
func (v *vm) Now() time.Time {
	clockTimeGet(clockRealtime, 1, &v.ns)
	return time.Unix(0, int64(v.ns))
}

func (v *vm) Log(l host.Level, line string) {
	level := uint32(levelCritical)
	switch l {
	case host.Debug:
		level = levelDebug
	case host.Info:
		level = levelInfo
	case host.Warn:
		level = levelWarn
	}
	proxyLog(level, line)
}

func (v *vm) Env(name string) string { return os.Getenv(name) }

// Shared gives bytes that belong to the caller.
func (v *vm) Shared(key string) (value []byte, version uint32, ok bool) {
	inbox.expect()
	if proxyGetSharedData(key, &inbox.addr, &inbox.size, &inbox.word) != OK {
		return nil, 0, false
	}
	value, ok = inbox.take()
	return value, inbox.word, ok
}

func (v *vm) SetShared(key string, value []byte, version uint32) bool {
	return proxySetSharedData(key, text(value), version) == OK
}

func (v *vm) TickEvery(ms uint32) bool { return proxySetTickPeriod(ms) == OK }

// Metric remembers ids: Envoy gives a new one for each definition of a name.
func (v *vm) Metric(k host.MetricKind, name string) (uint32, bool) {
	key := metricKey{k, name}
	if id, ok := v.metrics[key]; ok {
		return id, true
	}
	inbox.expect()
	if proxyDefineMetric(uint32(k), name, &inbox.word) != OK {
		return 0, false
	}
	v.metrics[key] = inbox.word
	return inbox.word, true
}

func (v *vm) Add(id uint32, n int64) { proxyIncrementMetric(id, n) }

func (v *vm) Record(id uint32, value uint64) { proxyRecordMetric(id, value) }

// Call keeps its own table of who waits for an answer. The SDK's would drop the
// answer when the stream that asked has ended, and would look for it under the
// plugin of that stream, which is not the one that the host answers to when
// another plugin's stream is active.
//
// When Call returns an error, done does not run.
func (v *vm) Call(c host.Callout, done func(*host.CalloutAnswer)) error {
	headers := appendPairs(nil, c.Headers)
	trailers := appendPairs(nil, nil)
	inbox.expect()
	st := proxyHTTPCall(c.Cluster, text(headers), text(c.Body), text(trailers), milliseconds(c.Timeout), &inbox.word)
	if st != OK {
		return &HostError{Call: "http_call", Status: st}
	}
	v.callouts[inbox.word] = done
	return nil
}

// milliseconds rounds up: a timeout of 0 would be none, or forever.
func milliseconds(d time.Duration) uint32 {
	ms := (d + time.Millisecond - 1) / time.Millisecond
	return uint32(min(max(ms, 1), math.MaxUint32))
}

// answer hands a callout's answer to who waits for it.
func (v *vm) answer(token, headers, size uint32) {
	done := v.callouts[token]
	delete(v.callouts, token)
	if done != nil {
		done(readAnswer(headers, size))
	}
}

// readAnswer collects a callout's answer, nil when it has no headers: that is
// how hosts say that the call failed.
func readAnswer(headers, size uint32) *host.CalloutAnswer {
	if headers == 0 {
		return nil
	}
	inbox.expect()
	if proxyGetHeaderMapPairs(calloutHeaders, &inbox.addr, &inbox.size) != OK {
		return nil
	}
	block, ok := inbox.take()
	pairs, whole := decodePairs(block)
	if !ok || !whole {
		return nil
	}
	body, ok := readCalloutBody(sizeOf(size))
	if !ok {
		return nil
	}
	return &host.CalloutAnswer{Status: statusIn(pairs), Headers: pairs, Body: body}
}

func readCalloutBody(size int) ([]byte, bool) {
	if size == 0 {
		return nil, true
	}
	inbox.expect()
	if proxyGetBufferBytes(calloutBody, 0, uint32(size), &inbox.addr, &inbox.size) != OK {
		return nil, false
	}
	return inbox.take()
}

// statusIn reads ":status"; 0 when there is none.
func statusIn(pairs [][2]string) int {
	for _, p := range pairs {
		if p[0] != ":status" {
			continue
		}
		n := 0
		for _, d := range []byte(p[1]) {
			if d < '0' || d > '9' || n > 99 {
				return 0
			}
			n = n*10 + int(d-'0')
		}
		return n
	}
	return 0
}
