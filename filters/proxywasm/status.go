package proxywasm

import (
	"errors"
	"strconv"

	"github.com/posterngw/postern/filters/host"
)

// Status is what a host call answers (proxy-wasm ABI 0.2.0, proxy_result_t).
type Status uint32

// The statuses that hosts are known to answer.
const (
	OK                   Status = 0
	NotFound             Status = 1
	BadArgument          Status = 2
	SerializationFailure Status = 3
	ParseFailure         Status = 4
	InvalidMemoryAccess  Status = 6
	Empty                Status = 7
	CasMismatch          Status = 8
	InternalFailure      Status = 10
	Unimplemented        Status = 12
)

// String names the status as the ABI does.
func (s Status) String() string {
	switch s {
	case OK:
		return "ok"
	case NotFound:
		return "not found"
	case BadArgument:
		return "bad argument"
	case SerializationFailure:
		return "serialization failure"
	case ParseFailure:
		return "parse failure"
	case InvalidMemoryAccess:
		return "invalid memory access"
	case Empty:
		return "empty"
	case CasMismatch:
		return "cas mismatch"
	case InternalFailure:
		return "internal failure"
	case Unimplemented:
		return "unimplemented"
	}
	return "status " + strconv.FormatUint(uint64(s), 10)
}

// HostError says which host call was refused and how.
type HostError struct {
	Call   string // the ABI's name of the call, without "proxy_"
	Status Status
}

func (e *HostError) Error() string { return "host call " + e.Call + ": " + e.Status.String() }

// Lacking implements host.Lack.
func (e *HostError) Lacking() (call string, lacking bool) {
	return e.Call, e.Status == Unimplemented || e.Status == NotFound && e.Call == "set_property"
}

var _ host.Lack = (*HostError)(nil)

// The reasons for which a stream makes no host call at all.
var (
	// ErrInactive: the stream is not the one that host calls speak about (see
	// host.Stream.Activate). Without this check a slip would read or write
	// another client's stream.
	ErrInactive = errors.New("stream is not active")
	// ErrGone: the host has deleted the stream.
	ErrGone = errors.New("stream is gone")
	// ErrResult: the host pointed at a result that is not in the memory that
	// it was given for it.
	ErrResult = errors.New("host result outside of its memory")
)
