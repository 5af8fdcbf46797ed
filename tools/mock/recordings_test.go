package mock_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
	"github.com/posterngw/postern/tools/mock/internal/mocktest"
)

// recorded is one line of a recording.
type recorded struct {
	ID       string            `json:"id"`
	URL      string            `json:"url"`
	Request  string            `json:"request"`
	Headers  map[string]string `json:"request_headers"`
	Status   int               `json:"status"`
	Response string            `json:"response"`
}

func recordings(t *testing.T, file string) []recorded {
	folder := os.Getenv("POSTERN_RECORDINGS")
	if folder == "" {
		t.Skip("POSTERN_RECORDINGS is not set: no recorded provider traffic")
	}
	f, err := os.Open(filepath.Join(folder, file))
	require.NoError(t, err)
	defer f.Close()
	var out []recorded
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 16<<20)
	for scan.Scan() {
		var r recorded
		require.NoError(t, json.Unmarshal(scan.Bytes(), &r))
		out = append(out, r)
	}
	require.NoError(t, scan.Err())
	return out
}

// TestRecordings sends what real clients sent. What the provider took, the mock
// takes; what it refused is refused with the same status, type and code; and
// the answers have the shape of the recorded ones: no member that no recording
// has, and every member that most recordings have.
func TestRecordings(t *testing.T) {
	for file, api := range map[string]struct {
		path    string // "": that of the recording
		header  http.Header
		further []string // members that the API publishes and no recording has
	}{
		"openai-chat-completions.jsonl": {"/v1/chat/completions", mocktest.OpenAI(), nil},
		"openai-embeddings.jsonl":       {"/v1/embeddings", mocktest.OpenAI(), nil},
		"anthropic-messages.jsonl": {"/v1/messages", mocktest.Anthropic(), []string{
			".usage.output_tokens_details:object", ".usage.output_tokens_details.thinking_tokens:number",
		}},
		"gemini-generateContent.jsonl":       {"", mocktest.Gemini(), nil},
		"gemini-streamGenerateContent.jsonl": {"", mocktest.Gemini(), nil},
		"vertex-generateContent.jsonl":       {"", mocktest.Gemini(), nil},
		"vertex-streamGenerateContent.jsonl": {"", mocktest.Gemini(), nil},
	} {
		t.Run(file, func(t *testing.T) {
			real, ours := shapes{}, shapes{}
			compared := 0
			for _, r := range recordings(t, file) {
				answer, ok := replay(t, r, api.path, api.header)
				if !ok {
					continue
				}
				compared++
				if r.Status == http.StatusOK {
					real.add(t, r.Response)
					ours.add(t, answer)
				}
			}
			require.Greater(t, compared, 10)
			for path := range ours {
				if real[path] == 0 && !slices.Contains(api.further, path) {
					t.Errorf("no recording has %s", path)
				}
			}
			for path, n := range real {
				if n*2 > compared && ours[path] == 0 {
					t.Errorf("the mock lacks %s, in %d of %d recordings", path, n, compared)
				}
			}
		})
	}
}

// replay sends a recorded request and compares status and error; it returns
// the answer unless the request is one that the mock refuses knowingly.
func replay(t *testing.T, r recorded, path string, header http.Header) (string, bool) {
	var model struct{ Model string }
	require.NoError(t, json.Unmarshal([]byte(r.Request), &model))
	if path == "" {
		u, err := url.Parse(r.URL)
		require.NoError(t, err)
		path = u.RequestURI()
		model.Model, _, _ = strings.Cut(u.Path[strings.LastIndexByte(u.Path, '/')+1:], ":")
	}
	opts := mock.Options{}
	if r.Status != http.StatusNotFound {
		opts.Models = []string{model.Model}
	}
	c := mocktest.New(t, opts, header)
	req := c.Request("POST", path, r.Request)
	if beta := r.Headers["anthropic-beta"]; beta != "" {
		req.Header.Set("anthropic-beta", beta)
	}
	resp, body := c.Do(req)
	if known(string(body)) || known(r.Response) {
		return "", false
	}
	require.Equal(t, r.Status, resp.StatusCode, "%s: %s\n%.600s", r.ID, body, r.Request)
	if r.Status != http.StatusOK {
		want, got := mocktest.Decode(t, []byte(r.Response)), mocktest.Decode(t, body)
		for _, member := range []string{"type", "code", "param", "status"} {
			require.Equal(t, mocktest.At(want, "error", member), mocktest.At(got, "error", member), r.ID)
		}
	}
	return string(body), true
}

// differences names recorded requests that the mock answers in another way, by
// what one of the two says.
var differences = map[string]string{
	"requested modality 'audio'":        "the mock does not speak",
	"Invalid `signature` in `thinking`": "the mock knows its own signatures only",
	"Corrupted thought signature":       "the mock knows its own signatures only",
	"parameters.type' (TYPE_STRING)":    "the mock takes enumerators by name only",
	"invalid_image_url":                 "the mock does not load images",
	"has been deprecated":               "the mock retires no model",
	"server_tool_use":                   "the mock runs no server tools",
}

func known(body string) bool {
	for says := range differences {
		if strings.Contains(body, says) {
			return true
		}
	}
	return false
}

// shapes counts paths with the kind of their values; indexes are left out, and
// so is what is inside of arguments.
type shapes map[string]int

func (s shapes) add(t *testing.T, answer string) {
	seen := map[string]bool{}
	if !strings.HasPrefix(strings.TrimSpace(answer), "{") {
		for _, e := range mocktest.Events(t, answer) {
			if e.Data != "[DONE]" {
				walk(e.JSON(t), "", seen)
			}
		}
	} else {
		walk(mocktest.Decode(t, []byte(answer)), "", seen)
	}
	for path := range seen {
		s[path]++
	}
}

func walk(v any, at string, seen map[string]bool) {
	switch v := v.(type) {
	case mocktest.J:
		seen[at+":object"] = true
		for k, member := range v {
			if k != "input" && k != "args" {
				walk(member, at+"."+k, seen)
			}
		}
	case []any:
		seen[at+":array"] = true
		for _, item := range v {
			walk(item, at+"[]", seen)
		}
	default:
		seen[fmt.Sprintf("%s:%s", at, kindOf(v))] = true
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "bool"
	}
	return "number"
}
