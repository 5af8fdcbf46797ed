package fidelity

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// process is a running Envoy.
type process struct {
	cmd   *exec.Cmd
	admin string            // host:port
	ports map[string]string // address of each listener
	ended chan struct{}

	mu   sync.Mutex
	tail []string // the last lines that were no probe's, for error messages
}

// startTimeout bounds the start of an Envoy: it compiles the probe once per vm_id.
const startTimeout = 60 * time.Second

// startEnvoy runs an Envoy with a bootstrap. Each line that it writes goes to take: log lines and
// access log lines, in the order of each.
func startEnvoy(binary, dir string, bootstrap any, take func(line string)) (*process, error) {
	config, err := json.MarshalIndent(bootstrap, "", " ")
	if err != nil {
		return nil, err
	}
	path, adminPath := filepath.Join(dir, "envoy.json"), filepath.Join(dir, "admin")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return nil, err
	}
	p := &process{ended: make(chan struct{})}
	p.cmd = exec.Command(binary, "--config-path", path, "--admin-address-path", adminPath,
		"--disable-hot-restart", "--concurrency", "1", "-l", "warning", "--log-format", "%v", "--file-flush-interval-msec", "2")
	stdout, err1 := p.cmd.StdoutPipe()
	stderr, err2 := p.cmd.StderrPipe()
	if err := errors.Join(err1, err2, p.cmd.Start()); err != nil {
		return nil, err
	}
	var readers sync.WaitGroup
	for _, r := range []io.Reader{stdout, stderr} {
		readers.Go(func() { p.read(r, take) })
	}
	go func() {
		readers.Wait()
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	if err := p.ready(adminPath); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *process) read(r io.Reader, take func(string)) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), 1<<20)
	for in.Scan() {
		line := in.Text()
		if i := strings.Index(line, probePrefix); i >= 0 || strings.HasPrefix(line, accessPrefix) {
			take(line[max(i, 0):])
			continue
		}
		p.mu.Lock()
		p.tail = append(p.tail[max(0, len(p.tail)-30):], line)
		p.mu.Unlock()
	}
}

// ready waits until every listener listens.
func (p *process) ready(adminPath string) error {
	deadline := time.Now().Add(startTimeout)
	for time.Now().Before(deadline) {
		select {
		case <-p.ended:
			return fmt.Errorf("envoy ended at start:\n%s", p.said())
		case <-time.After(20 * time.Millisecond):
		}
		b, err := os.ReadFile(adminPath)
		if err != nil || len(b) == 0 {
			continue
		}
		p.admin = string(b)
		if state, err := p.get("/ready"); err == nil && strings.HasPrefix(state, "LIVE") {
			return p.addresses()
		}
	}
	return fmt.Errorf("envoy was not ready in %v:\n%s", startTimeout, p.said())
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.tail, "\n")
}

func (p *process) get(path string) (string, error) {
	client := http.Client{Timeout: 5 * time.Second}
	r, err := client.Get("http://" + p.admin + path)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("admin %s: %s", path, r.Status)
	}
	return string(b), err
}

// addresses asks on which ports the listeners were put.
func (p *process) addresses() error {
	text, err := p.get("/listeners?format=json")
	if err != nil {
		return err
	}
	var list struct {
		Statuses []struct {
			Name    string `json:"name"`
			Address struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return err
	}
	p.ports = map[string]string{}
	for _, l := range list.Statuses {
		p.ports[l.Name] = fmt.Sprintf("%s:%d", l.Address.Socket.Address, l.Address.Socket.Port)
	}
	return nil
}

// stop ends the process, by its id, and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}
