package pipeline

import (
	"errors"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/gzip"
)

// gunzip decodes a gzip body (RFC 1952) of at most limit bytes.
func gunzip(body []byte, limit int) ([]byte, *llm.Error) {
	plain, err := gzip.Decode(body, limit)
	switch {
	case errors.Is(err, gzip.ErrTooLarge):
		return nil, clientError(413, "request_too_large", "the request's body is too large when decoded")
	case err != nil:
		return nil, clientError(400, "invalid_encoding", "the body is not valid gzip")
	}
	return plain, nil
}
