package fidelity

import (
	"fmt"
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
answer the question. d1 is the first context of the HTTP filter, u2 the second of the upstream filter
(the second attempt); a call is shown with what the host answered.

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
		answer = code(shorten(r.Found.Hosttest))
	}
	return answer + "<br>" + cell(r.Why)
}

// maxPoint is how many lines the table shows of a transcript.
const maxPoint = 14

// point are the lines that answer a row's question: those that it names, or those that say the most.
func (r *Row) point(lines []string) []string {
	out := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !r.tells(l) })
	if len(out) > maxPoint {
		out = append(out[:maxPoint-1], fmt.Sprintf("… %d more", len(out)-maxPoint+1))
	}
	return shorten(out)
}

// tells says whether a line is worth showing.
func (r *Row) tells(line string) bool {
	if len(r.Point) > 0 {
		return slices.ContainsFunc(r.Point, func(p string) bool { return strings.HasPrefix(line, p) })
	}
	_, op, isOp := strings.Cut(line, " | ")
	switch {
	case strings.HasPrefix(line, "client"), strings.HasPrefix(line, "upstream"), strings.HasPrefix(line, "callout"):
		return !strings.HasSuffix(line, " end")
	case strings.HasPrefix(line, "access"):
		return false
	case isOp:
		return !strings.HasSuffix(op, "= ok") || strings.HasPrefix(op, "set ") || strings.HasPrefix(op, "write ")
	}
	return strings.Contains(line, "_body ") || strings.Contains(line, "_trailers ")
}

// shorten makes lines fit into a table.
func shorten(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		for _, r := range shortNames {
			l = strings.Replace(l, r[0], r[1], 1)
		}
		if len(l) > 150 {
			l = l[:150] + "…"
		}
		out[i] = l
	}
	return out
}

var shortNames = [][2]string{
	{"down", "d"}, {"second", "s"}, {"up1 ", "u1 "}, {"up2 ", "u2 "}, {"up3 ", "u3 "}, {" | ", " "}, {" headers :status: ", " "},
	{" headers :method: POST | :scheme: http | ", " "}, {" headers :method: GET | :scheme: http | ", " "},
	{" | :authority: postern.test", ""}, {" | content-type: application/json", ""}, {" | x-forwarded-proto: http", ""},
	{" | x-request-id: *", ""}, {" | x-envoy-expected-rq-timeout-ms: 15000", ""}, {" | x-envoy-upstream-service-time: *", ""},
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
