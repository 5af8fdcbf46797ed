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
			return fmt.Errorf("%s has ended: %w\n%s", p.cmd.Path, errors.Join(p.err), p.Log())
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

// ticks is USER_HZ, which Linux fixes at 100 towards programs.
const ticks = 100

// CPU is the processor time that all threads of the process have taken, in
// user and kernel mode, with a resolution of 10 ms.
func (p *Process) CPU() (time.Duration, error) {
	text, err := os.ReadFile(p.file("stat"))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), ") ") // a name may have spaces
	fields := strings.Fields(after)
	const user, system = 11, 12 // fields 14 and 15 of proc_pid_stat(5)
	if len(fields) <= system {
		return 0, errors.New("unreadable " + p.file("stat"))
	}
	u, err1 := strconv.ParseInt(fields[user], 10, 64)
	s, err2 := strconv.ParseInt(fields[system], 10, 64)
	return time.Duration(u+s) * time.Second / ticks, errors.Join(err1, err2)
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
