package envoytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Record is what the tests read of an audit record.
type Record struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"request_id"`
	End       string    `json:"end"`
	Status    int       `json:"status"`
	Model     string    `json:"model"`
	Target    string    `json:"target"`
	Stream    bool      `json:"stream"`
	Principal struct {
		Key  string `json:"key"`
		Team string `json:"team"`
	} `json:"principal"`
	Error struct {
		Class  string `json:"class"`
		Source string `json:"source"`
		Code   string `json:"code"`
		Policy string `json:"policy"`
	} `json:"error"`
	Decision struct {
		Allowed  bool     `json:"allowed"`
		Policies []string `json:"policies"`
	} `json:"decision"`
	Attempts []struct {
		Target string `json:"target"`
		Status int    `json:"status"`
		Class  string `json:"class"`
	} `json:"attempts"`
	Route struct {
		Plan []struct {
			Target  string `json:"target"`
			ShutOut bool   `json:"shut_out"`
		} `json:"plan"`
	} `json:"route"`
	Usage   Usage `json:"usage"`
	Budgets []struct {
		Budget   string `json:"budget"`
		Reserved int64  `json:"reserved"`
		Settled  int64  `json:"settled"`
	} `json:"budgets"`
	BytesIn  int64    `json:"bytes_in"`
	BytesOut int64    `json:"bytes_out"`
	Config   string   `json:"config"`
	Mode     string   `json:"mode"`
	Degraded []string `json:"degraded"`
}

// Usage is a record's account of tokens, in disjoint buckets.
type Usage struct {
	Input      int64 `json:"input"`
	CacheRead  int64 `json:"cache_read"`
	CacheWrite int64 `json:"cache_write"`
	Output     int64 `json:"output"`
	Reasoning  int64 `json:"reasoning"`
	Known      bool  `json:"known"`
	Estimated  bool  `json:"estimated"`
	Partial    bool  `json:"partial"`
}

// InputTotal is all input.
func (u Usage) InputTotal() int64 { return u.Input + u.CacheRead + u.CacheWrite }

// OutputTotal is all output.
func (u Usage) OutputTotal() int64 { return u.Output + u.Reasoning }

// auditLimit is how long a record may take from the end of its request to the
// file.
const auditLimit = 20 * time.Second

// Audit waits for the record of a request.
func (e *Envoy) Audit(requestID string) (*Record, error) {
	var found *Record
	err := e.await(auditLimit, func() (bool, error) {
		records, err := e.Records()
		i := slices.IndexFunc(records, func(r Record) bool { return r.RequestID == requestID })
		if i >= 0 {
			found = &records[i]
		}
		return found != nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("audit record of request %q: %w", requestID, err)
	}
	return found, nil
}

// Records are all audit records that were written so far.
func (e *Envoy) Records() ([]Record, error) {
	text, err := os.ReadFile(e.path("audit.log"))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(text), "\n")
	var records []Record
	for _, line := range lines[:len(lines)-1] { // the last one is empty or not yet whole
		var r Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("audit log: %w in line %q", err, line)
		}
		records = append(records, r)
	}
	return records, nil
}

// Stats are the counters and gauges whose names match a regular expression.
func (e *Envoy) Stats(filter string) (map[string]int64, error) {
	text, err := e.Admin("/stats?filter=" + url.QueryEscape(filter))
	if err != nil {
		return nil, err
	}
	stats := map[string]int64{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			stats[name] = n
		}
	}
	return stats, nil
}

// Logs are the texts of all that Envoy wrote, by file.
func (e *Envoy) Logs() (map[string]string, error) {
	logs := map[string]string{}
	for _, name := range []string{"envoy.log", "access.log", "audit.log"} {
		text, err := os.ReadFile(e.path(name))
		if err != nil {
			return nil, err
		}
		logs[name] = string(text)
	}
	return logs, nil
}

// Access is the access log's line of a request; empty when there is none yet.
func (e *Envoy) Access(requestID string) string {
	text, _ := os.ReadFile(e.path("access.log")) // empty says enough
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, requestID) {
			return line
		}
	}
	return ""
}

// LogTail is the end of Envoy's own log.
func (e *Envoy) LogTail(lines int) string {
	text, _ := os.ReadFile(e.path("envoy.log")) // empty says enough
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Failures are the signs of a module that failed: VMs that trapped, panics that
// were contained, and what Envoy calls critical.
func (e *Envoy) Failures() ([]string, error) {
	stats, err := e.Stats("wasm|panics")
	if err != nil {
		return nil, err
	}
	var bad []string
	for name, n := range stats {
		failed := strings.Contains(name, "fail") || strings.Contains(name, "panic") || strings.Contains(name, "vm_reload") ||
			strings.Contains(name, "missing")
		if failed && n != 0 {
			bad = append(bad, fmt.Sprintf("%s: %d", name, n))
		}
	}
	text, err := os.ReadFile(e.path("envoy.log"))
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "[critical]") || strings.Contains(line, "recovered") {
			bad = append(bad, strings.TrimSpace(line))
		}
	}
	slices.Sort(bad)
	return bad, err
}

// Healthy is the last test of a run: nothing in the module failed.
func (e *Envoy) Healthy() error {
	bad, err := e.Failures()
	if len(bad) > 0 {
		err = errors.Join(err, fmt.Errorf("the module failed during the run:\n  %s\nenvoy's log:\n%s",
			strings.Join(bad, "\n  "), e.LogTail(40)))
	}
	return err
}

// StopAll stops what a run has started, the last first.
func StopAll(stops []func() error) error {
	var errs []error
	for _, stop := range slices.Backward(stops) {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}
