// Package load sends requests with fortio and reads its report.
//
// It measures at the client; what a proxy costs is measured elsewhere.
package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// Run describes a load. The number of requests is fixed.
type Run struct {
	URL         string
	Payload     string // path of the body's file
	Token       string
	Connections int
	Requests    int
}

// Result is what the client saw.
type Result struct {
	Rate     float64 // requests per second
	P50, P99 time.Duration
}

// report is what is read of fortio's.
type report struct {
	ActualQPS         float64
	RetCodes          map[string]int64
	DurationHistogram struct {
		Count       int64
		Percentiles []struct{ Percentile, Value float64 }
	}
}

// Do sends the load and waits for its end. An answer that is not 200 is an
// error: a refusal is cheaper than what was to be measured.
func Do(fortio string, r Run) (Result, error) {
	cmd := exec.Command(fortio, "load", "-quiet", "-loglevel", "Error", "-json", "-", "-qps", "0",
		"-r", "0.00001", "-p", "50,99", "-timeout", "30s", "-allow-initial-errors",
		"-c", strconv.Itoa(r.Connections), "-n", strconv.Itoa(max(r.Requests, r.Connections)),
		"-payload-file", r.Payload, "-content-type", "application/json", "-maxpayloadsizekb", "1024",
		"-H", "Authorization: Bearer "+r.Token, r.URL+"/v1/chat/completions")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("fortio: %w: %s", err, exit.Stderr)
		}
		return Result{}, err
	}
	return read(out)
}

func read(out []byte) (Result, error) {
	var rep report
	if err := json.Unmarshal(out, &rep); err != nil {
		return Result{}, fmt.Errorf("fortio's report: %w", err)
	}
	h := &rep.DurationHistogram
	if n := rep.RetCodes["200"]; n == 0 || n != h.Count {
		return Result{}, fmt.Errorf("of %d answers by status: %v", h.Count, rep.RetCodes)
	}
	res := Result{Rate: rep.ActualQPS}
	for _, p := range h.Percentiles {
		d := time.Duration(p.Value * float64(time.Second))
		if p.Percentile == 50 {
			res.P50 = d
		} else {
			res.P99 = d
		}
	}
	return res, nil
}
