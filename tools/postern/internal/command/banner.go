package command

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// banner is what is printed when the gateway answers.
func (r *session) banner(took time.Duration) string {
	p := r.prepared
	url := "http://" + reachable(r.address)
	var b strings.Builder
	fmt.Fprintf(&b, "Postern serves %s with %s on %s, ready in %.1fs.\n\n", p.name, r.wasm, r.o.host, took.Seconds())
	fmt.Fprintf(&b, "  url     %s/v1\n", url)
	if p.key != "" {
		fmt.Fprintf(&b, "  key     %s\n", p.key)
	}
	fmt.Fprintf(&b, "  models  %s\n", strings.Join(wrap(p.models(), 70), "\n          "))
	if p.key != "" && len(p.real) == 0 {
		b.WriteString("\nSet OPENAI_API_KEY or ANTHROPIC_API_KEY before the start for real models.\n")
	}
	whole, streamed := p.examples()
	fmt.Fprintf(&b, "\nA whole answer, and a stream:\n\n  %s\n\n  %s\n", p.curl(url, whole, false), p.curl(url, streamed, true))
	b.WriteString("\nCtrl-C ends it.\n\n" + p.layout.Header())
	return b.String()
}

// reachable is an address that a client on this machine can use.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// examples are the models of the two curl lines: the first, and where there is
// one, another that is played by another dialect.
func (p *prepared) examples() (whole, streamed string) {
	names := p.models()
	if p.key != "" {
		return names[0], names[1]
	}
	return names[0], names[0]
}

// curl is a line for a shell. Names of models have no character that it would
// mind.
func (p *prepared) curl(url, model string, stream bool) string {
	flags, more := "-sS", ""
	if stream {
		flags, more = "-sSN", `"stream":true,`
	}
	return fmt.Sprintf(`curl %s %s/v1/chat/completions%s -H 'Content-Type: application/json' -d '{"model":"%s",%s"messages":[{"role":"user","content":"Say hello."}]}'`,
		flags, url, p.authorization(), model, more)
}

// authorization is the curl option that carries the key.
func (p *prepared) authorization() string {
	switch {
	case p.key != "":
		return " -H 'Authorization: Bearer " + p.key + "'"
	case p.Config.Identity.Anonymous == nil:
		return ` -H "Authorization: Bearer $POSTERN_KEY"`
	}
	return ""
}

// wrap fills lines of about a width with words.
func wrap(words []string, width int) []string {
	var lines []string
	line := ""
	for _, w := range words {
		if line != "" && len(line)+1+len(w) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+w, " ")
	}
	return append(lines, line)
}
