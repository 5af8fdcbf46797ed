package pipeline

import (
	"bytes"
	"compress/gzip"
	"io"

	"github.com/posterngw/postern/filters/llm"
)

// gunzip decodes a gzip body (RFC 1952) of at most limit bytes.
func gunzip(body []byte, limit int) ([]byte, *llm.Error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, clientError(400, "invalid_encoding", "the body is not valid gzip")
	}
	plain, err := io.ReadAll(io.LimitReader(z, int64(limit)+1))
	switch {
	case err != nil:
		return nil, clientError(400, "invalid_encoding", "the body is not valid gzip")
	case len(plain) > limit:
		return nil, clientError(413, "request_too_large", "the request's body is too large when decoded")
	}
	return plain, nil
}
