package replay

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Exchange is one recorded request with its answer.
type Exchange struct {
	ID      string
	File    string // base name of the file that it stands in
	Line    int
	Method  string
	URL     *url.URL
	Headers map[string]string // of the request, names in lower case
	Request []byte
	Status  int
	Answer  map[string]string // headers of the answer
	Body    []byte
}

// line is an exchange as it is recorded.
type line struct {
	ID              string            `json:"id"`
	Method          string            `json:"method"`
	URL             string            `json:"url"`
	RequestHeaders  map[string]string `json:"request_headers"`
	Request         string            `json:"request"`
	Status          int               `json:"status"`
	ResponseHeaders map[string]string `json:"response_headers"`
	Response        string            `json:"response"`
	Encoding        string            `json:"response_encoding"`
}

// maxLine bounds one exchange, in bytes.
const maxLine = 16 << 20

// Read reads the exchanges of files, and of the *.jsonl files of folders.
func Read(paths ...string) ([]Exchange, error) {
	var all []Exchange
	for _, path := range paths {
		files, err := expand(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			list, err := readFile(file)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			all = append(all, list...)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no recorded exchanges there")
	}
	return all, nil
}

// expand lists the recordings below a path.
func expand(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	var files []string
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(name) == ".jsonl" {
			files = append(files, name)
		}
		return err
	})
	sort.Strings(files)
	return files, err
}

func readFile(name string) ([]Exchange, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []Exchange
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		x, err := parse(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		x.File, x.Line = filepath.Base(name), n
		list = append(list, x)
	}
	return list, lines.Err()
}

func parse(text []byte) (Exchange, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return Exchange{}, err
	}
	at, err := url.Parse(l.URL)
	if err != nil {
		return Exchange{}, err
	}
	body := []byte(l.Response)
	if l.Encoding == "base64" {
		if body, err = base64.StdEncoding.DecodeString(l.Response); err != nil {
			return Exchange{}, err
		}
	}
	return Exchange{ID: l.ID, Method: l.Method, URL: at, Headers: lower(l.RequestHeaders), Request: []byte(l.Request),
		Status: l.Status, Answer: lower(l.ResponseHeaders), Body: body}, nil
}

func lower(headers map[string]string) map[string]string {
	out := make(map[string]string, len(headers))
	for name, value := range headers {
		out[strings.ToLower(name)] = value
	}
	return out
}
