package replay

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Minimize makes a failing exchange smaller: events of its streamed answer are
// left out one after the other as long as the same client still fails. It gives
// the exchange back unchanged where nothing can be left out.
func Minimize(x *Exchange, failed *Outcome, o Options) Exchange {
	small := *x
	o.Only, o.Partitions = failed.Problems[0].Client, 1
	blocks := strings.SplitAfter(string(x.Body), "\n\n")
	const most = 400 // of a longer stream every try would be slow
	if len(blocks) < 3 || len(blocks) > most {
		return small
	}
	for i := len(blocks) - 1; i >= 0; i-- {
		less := append(append([]string(nil), blocks[:i]...), blocks[i+1:]...)
		try := small
		try.Body = []byte(strings.Join(less, ""))
		if out := Run(&try, o); out.Failed() && kind(&out) == kind(failed) {
			small, blocks = try, less
		}
	}
	return small
}

// kind is what a failure is about, without what it shows.
func kind(o *Outcome) string {
	what, _, _ := strings.Cut(o.Problems[0].What, ":")
	return what
}

// Recorded is the exchange as one line of a recording.
func (x *Exchange) Recorded() ([]byte, error) {
	text, encoding := string(x.Body), "utf-8"
	if !utf8.Valid(x.Body) {
		text, encoding = base64.StdEncoding.EncodeToString(x.Body), "base64"
	}
	return json.Marshal(line{ID: x.ID, Method: x.Method, URL: x.URL.String(), RequestHeaders: x.Headers, Request: string(x.Request),
		Status: x.Status, ResponseHeaders: x.Answer, Response: text, Encoding: encoding})
}
