package fidelity

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// DocumentFile is the generated document, from this package's folder.
const DocumentFile = "../FIDELITY.md"

const preface = `# How faithful hosttest is

Written by ` + "`go generate ./host-test/fidelity`" + ` from a recording of %[1]s and from what package hosttest
answered to the same scripts. Do not edit.

Each row is one behaviour of the proxy-wasm ABI. A small probe module (host-test/probe) does what a script
tells it, on the real proxy and on hosttest, while a client and upstreams on loopback play the same
traffic; what the probe logged, and what upstreams, client and access log saw, is compared line by line.
The scripts and the whole transcripts are in host-test/fidelity/testdata; the table shows the lines that
answer the question and leaves out the usual ones (a request for /v1 with body "abc", an answer 200 "one").
d1 is the first context of the HTTP filter, s1 of a second one behind it, u2 the second of the upstream
filter (the second attempt), d the plugin itself; a call is shown with what the host answered.

%[2]d behaviours (%[3]d of them for the profile envoy-upstream too), %[4]d the same, %[5]d different for a
reason, none different without one. Not compared, because hosttest has no sockets and no HTTP codec: ports
and addresses, x-request-id, x-forwarded-for, x-envoy-upstream-service-time, date and server of answers,
and what is left of a timeout at a further attempt.

| | Asked | %[1]s | hosttest |
|---|---|---|---|
`

// Document writes FIDELITY.md of all results.
func Document(proxy string, results []*Result) []byte {
	upstream, different := 0, 0
	for _, r := range results {
		upstream += len(r.Profiles) - 1
		if r.Why != "" {
			different++
		}
	}
	b := fmt.Appendf(nil, preface, proxy, len(results), upstream, len(results)-different, different)
	for _, r := range results {
		b = fmt.Appendf(b, "| `%s` | %s | %s | %s |\n", r.Row.Name, cell(r.Row.Asks), code(r.Row.point(r.Envoy)), r.verdict())
	}
	return b
}

// verdict is what hosttest answered.
func (r *Result) verdict() string {
	if r.Why == "" {
		return "the same"
	}
	answer := "without these lines"
	if len(r.Found.Hosttest) > 0 {
		answer = code(r.Found.Hosttest)
	}
	return answer + "<br>" + cell(r.Why)
}

// maxPoint is how many lines the table shows of a transcript.
const maxPoint = 40

// point are the lines that answer a row's question: those that it names, or those that are not what
// every row has.
func (r *Row) point(lines []string) []string {
	var out []string
	for _, l := range lines {
		if short := shorten(l); r.tells(l, short) {
			out = append(out, short)
		}
	}
	switch {
	case len(out) == 0:
		return []string{"as usual"}
	case len(out) > maxPoint:
		return append(out[:maxPoint-1], fmt.Sprintf("… %d more", len(out)-maxPoint+1))
	}
	return out
}

// usual is what is in most transcripts: the plain request and the plain answer of rows.go.
var usual = map[string]bool{
	"upstream 1 a POST /v1": true, "upstream 1 a GET /v1": true, `upstream 1 a body "abc"`: true, `client 1 body "one"`: true,
	"client 1 200 | x-u: 1": true, "d1 response_body 3 end=1": true, "u1 response_body 3 end=1": true,
	"d1 request_body 3 end=1": true, "u1 request_body 3 end=1": true, "callout 1 POST /c": true,
}

// quiet operations are worth showing only when they fail.
var quiet = []string{"setprop ", "foreign ", "call ", "act ", "resume ", "tick ", "del ", "add ", "share ", "metric ", "inc ", "rec ", "self ", "root ", "push ", "queue "}

// tells says whether a line is worth showing.
func (r *Row) tells(line, short string) bool {
	if len(r.Point) > 0 {
		return slices.ContainsFunc(r.Point, func(p string) bool { return strings.HasPrefix(line, p) })
	}
	if context, op, isOp := strings.Cut(line, " | "); isOp && !strings.Contains(context, " headers ") {
		return !strings.HasSuffix(op, "= ok") || !slices.ContainsFunc(quiet, func(q string) bool { return strings.HasPrefix(op, q) })
	}
	switch name, _, _ := strings.Cut(line, " "); name {
	case "client", "upstream", "callout":
		return !usual[short] && !strings.HasSuffix(line, " end")
	case "access":
		return !strings.Contains(line, "flags=- ") || !strings.Contains(line, "audit=-")
	}
	return !usual[short] && (strings.Contains(line, "_body ") || strings.Contains(line, "_trailers ")) || line == died
}

var contexts = regexp.MustCompile(`^(d)own|^(s)econd|^(u)p(\d| )`)

// usualHeaders are left out of header lines.
var usualHeaders = strings.NewReplacer(
	" | :scheme: http", "", " | :authority: postern.test", "", " | content-type: application/json", "", " | x-forwarded-proto: http", "",
	" | x-request-id: *", "", " | x-envoy-expected-rq-timeout-ms: 15000", "", " | x-envoy-expected-rq-timeout-ms: *", "",
	" | x-envoy-upstream-service-time: *", "", " | :authority: side", "", " | x-envoy-internal: true", "", " | x-envoy-expected-rq-timeout-ms: 5000", "",
	" headers :authority: postern.test | :path: /v1 | :method: POST", " POST /v1", " headers :authority: postern.test | :path: /v1 | :method: GET", " GET /v1",
	" headers :status: ", " ", " headers :method: ", " ", " | :path: ", " ",
)

// shorten makes a line fit into a table.
func shorten(line string) string {
	short := contexts.ReplaceAllString(line, "$1$2$3$4")
	if short != line {
		short = strings.Replace(short, " | ", " ", 1)
	} else {
		short = usualHeaders.Replace(line)
	}
	if len(short) > 220 {
		short = short[:220] + "…"
	}
	return short
}

var escapes = strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;", "\n", " ")

func cell(text string) string { return escapes.Replace(text) }

func code(lines []string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = "<code>" + cell(l) + "</code>"
	}
	return strings.Join(out, "<br>")
}
