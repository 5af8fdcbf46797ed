// Package packtest has a registry for tests of what pulls and pushes images: the
// parts of the OCI distribution specification that a push and a pull in one
// piece need, in memory.
//
// It asks for no credentials, knows no uploads in parts and no list of what
// refers to a manifest, so that clients keep that list under a tag.
package packtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Registry is a registry; its zero value is empty.
type Registry struct {
	mu    sync.Mutex
	blobs map[string]Blob   // by digest
	tags  map[string]string // digests by repository, colon and tag
}

// Blob is what a digest names; manifests have a type.
type Blob struct {
	Type string
	Text []byte
}

// route is a request's path: repository, kind, name.
var route = regexp.MustCompile(`^/v2/(.+)/(blobs|manifests|referrers)/(.+)$`)

// maxBody bounds what is uploaded at once.
const maxBody = 64 << 20

// Digest is the SHA-256 of a text as registries write it.
func Digest(text []byte) string {
	s := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(s[:])
}

// Change replaces what is under a digest, without a look at whether it fits.
func (r *Registry) Change(digest string, by func([]byte) []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.blobs[digest]
	b.Text = by(append([]byte(nil), b.Text...))
	r.blobs[digest] = b
}

// Put stores a blob or a manifest, under a tag if one is named.
func (r *Registry) Put(repository, tag string, b Blob) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blobs == nil {
		r.blobs, r.tags = map[string]Blob{}, map[string]string{}
	}
	d := Digest(b.Text)
	r.blobs[d] = b
	if tag != "" {
		r.tags[repository+":"+tag] = d
	}
	return d
}

// Get returns a blob by digest, or by repository and tag.
func (r *Registry) Get(repository, name string) (digest string, b Blob, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	digest = name
	if !strings.HasPrefix(name, "sha256:") {
		digest = r.tags[repository+":"+name]
	}
	b, ok = r.blobs[digest]
	return digest, b, ok
}

func (r *Registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	at := route.FindStringSubmatch(q.URL.Path)
	switch {
	case q.URL.Path == "/v2/":
		w.WriteHeader(http.StatusOK)
	case at == nil || at[2] == "referrers":
		refuse(w, http.StatusNotFound, "UNSUPPORTED")
	case q.Method == http.MethodPost:
		w.Header().Set("Location", "/v2/"+at[1]+"/blobs/uploads/1")
		w.WriteHeader(http.StatusAccepted)
	case q.Method == http.MethodPut:
		r.upload(w, q, at[1], at[2], at[3])
	case q.Method == http.MethodGet || q.Method == http.MethodHead:
		r.download(w, q, at[1], at[3])
	default:
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED")
	}
}

func (r *Registry) upload(w http.ResponseWriter, q *http.Request, repository, kind, name string) {
	text, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "SIZE_INVALID")
		return
	}
	b, want, tag := Blob{Text: text}, q.URL.Query().Get("digest"), ""
	if kind == "manifests" {
		b.Type, want = q.Header.Get("Content-Type"), name
		if !strings.HasPrefix(name, "sha256:") {
			want, tag = Digest(text), name
		}
	}
	if want != Digest(text) {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID")
		return
	}
	r.Put(repository, tag, b)
	w.Header().Set("Docker-Content-Digest", want)
	w.Header().Set("Location", "/v2/"+repository+"/"+kind+"/"+want)
	w.WriteHeader(http.StatusCreated)
}

func (r *Registry) download(w http.ResponseWriter, q *http.Request, repository, name string) {
	digest, b, ok := r.Get(repository, name)
	if !ok {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN")
		return
	}
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Content-Length", strconv.Itoa(len(b.Text)))
	w.Header().Set("Content-Type", b.Type)
	if b.Type == "" {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	if q.Method == http.MethodGet {
		w.Write(b.Text) //nolint:errcheck // a client that is gone
	}
}

// refuse answers with an error of the specification's form.
func refuse(w http.ResponseWriter, status int, code string) {
	type one struct {
		Code string `json:"code"`
	}
	text, err := json.Marshal(map[string][]one{"errors": {{code}}})
	if err != nil {
		text = nil // a map of texts has a form in JSON
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text) //nolint:errcheck // a client that is gone
}
