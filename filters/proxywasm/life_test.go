//go:build !wasip1

package proxywasm

import (
	"strings"
	"testing"

	"github.com/posterngw/postern/filters/host"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever a host does in whatever order, and however often a stage panics:
// nothing leaves an export, nothing reaches a stage after its end, and every
// stream that is deleted has been done exactly once.
func TestLives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLives(t)
		id := rapid.Uint32Range(1, 6)
		callbacks := rapid.SampledFrom([]callback{
			atRequestHeaders, atRequestBody, atRequestTrailers, atResponseHeaders, atResponseBody,
			atResponseTrailers, atLog, atDone, atDelete, atTick, atCallout, atConfigure,
		})
		size := rapid.OneOf(rapid.Uint32Range(0, 64), rapid.Uint32())
		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				dispatch(atContextCreate, id.Draw(t, "id"), id.Draw(t, "parent"), 0, 0)
			},
			"call": func(t *rapid.T) {
				l.broken = rapid.SampledFrom([]string{"", "", "request_body", "response_body", "done", "recovered"}).Draw(t, "broken")
				dispatch(callbacks.Draw(t, "at"), id.Draw(t, "id"), size.Draw(t, "a"), size.Draw(t, "b"), size.Draw(t, "c"))
			},
			"": l.check,
		})
	})
}

// lives is a plugin whose stages use every host call and panic on demand.
type lives struct {
	plugin *fakePlugin
	broken string
}

func newLives(t require.TestingT) *lives {
	f := newFake()
	l := &lives{plugin: &fakePlugin{}}
	f.headers[requestHeaders] = [][2]string{{"a", "b"}}
	f.buffers[0] = []byte(strings.Repeat("body", 10))
	l.plugin.on = func(s *fakeStage, callback string) {
		if s != nil {
			all(s)
			s.Body(host.Response, 3, 1<<20)
		}
		if callback == l.broken {
			panic("broken " + callback)
		}
		if callback == "request_headers" {
			_ = l.plugin.vm.Call(host.Callout{}, func(*host.CalloutAnswer) { s.Activate() })
		}
	}
	start(t, l.plugin)
	return l
}

func (l *lives) check(t *rapid.T) {
	require.Zero(t, running)
	open := 0
	for _, s := range l.plugin.made {
		done := 0
		for i, heard := range s.heard {
			if heard == "done" {
				done++
				for _, after := range s.heard[i+1:] {
					require.Equal(t, "recovered", after, "after the end")
				}
			}
		}
		require.LessOrEqual(t, done, 1)
		bound := s.Stream.(*stream)
		require.Equal(t, bound.ended, done == 1)
		if streams.find(bound.id) == bound {
			open++
		} else {
			require.Equal(t, 1, done, "deleted and not done")
		}
	}
	require.Equal(t, open, streams.count)
}

// FuzzABI reads its input as callbacks: one byte for which, one for the
// context, then the arguments.
func FuzzABI(f *testing.F) {
	f.Add([]byte("\x00\x07\x01\x05\x07\x00\x06\x07\x09\x0d\x07\x00"))
	f.Add([]byte("\x00\x00\x00\x0d\x01\x00\x05\x01\xff\x00\x07\x01\x06\x07\xff\x0b\x07\x00\x0c\x07\x00"))
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 300 {
			return
		}
		l := newLives(t)
		for len(input) >= 3 {
			at, id, arg := callback(input[0]%byte(len(callbackNames))), uint32(input[1]%8), uint32(input[2])
			l.broken = [...]string{"", "request_body", "recovered", "done", "stream", "tick"}[input[1]%6]
			if arg > 200 {
				arg = ^arg // sizes beyond every memory
			}
			dispatch(at, id, arg, arg, arg)
			require.Zero(t, running)
			input = input[3:]
		}
	})
}
