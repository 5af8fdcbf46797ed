// Package proc starts the processes of a benchmark and reads from the kernel
// what they cost.
//
// It reads Linux's /proc and nothing of what a process itself reports.
package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a running one. Nothing outlives this program: the kernel ends what
// is left.
type Process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
	err   error
}

const stopLimit = 10 * time.Second

// Start starts a program whose output goes to the file log.
func Start(log string, env []string, name string, args ...string) (*Process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close() //nolint:errcheck // the process has its own descriptor
	p := &Process{cmd: exec.Command(name, args...), log: log, ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// Stop ends the process and waits for its end.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// Await polls until done. It fails after the limit, with the end of the
// process's log, and when the process ends.
func (p *Process) Await(limit time.Duration, done func() bool) error {
	for until := time.Now().Add(limit); !done(); {
		select {
		case <-p.ended:
			return fmt.Errorf("%s has ended: %v\n%s", p.cmd.Path, p.err, p.Log())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s: not ready within %s\n%s", p.cmd.Path, limit, p.Log())
		}
	}
	return nil
}

// Log is what the process has written, its last 4 KB.
func (p *Process) Log() string {
	text, _ := os.ReadFile(p.log) // empty says enough
	return string(text[max(0, len(text)-4096):])
}

// CPU is the processor time that the threads of the process have taken so far,
// in user and kernel mode. The scheduler's own account of it counts
// nanoseconds, where /proc/PID/stat counts steps of 10 ms; a thread that has
// ended is in it no more, but none of a proxy ends under load.
func (p *Process) CPU() (time.Duration, error) {
	tasks, err := filepath.Glob(p.file("task/*/schedstat"))
	if err != nil || len(tasks) == 0 {
		return 0, errors.New("no threads of " + p.cmd.Path)
	}
	var sum time.Duration
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			return 0, err
		}
		running, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(running, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// Resident is the memory of the process, in bytes.
func (p *Process) Resident() (int64, error) {
	text, err := os.ReadFile(p.file("status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("no VmRSS in " + p.file("status"))
}

func (p *Process) file(name string) string {
	return "/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/" + name
}

// LoadAverage is the machine's, over the last minute.
func LoadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg") // only shown
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
