package envoy

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// drain closes the listener and waits until no request is under way.
func (e *Envoy) drain(ctx context.Context) {
	if _, err := e.admin(ctx, http.MethodPost, "/drain_listeners"); err != nil {
		return
	}
	for ctx.Err() == nil {
		text, err := e.admin(ctx, http.MethodGet, "/stats?filter=%5Ehttp%5C.postern%5C.downstream_rq_active$")
		if err != nil || active(text) == 0 {
			return
		}
		select {
		case <-e.ended:
			return
		case <-ctx.Done():
		case <-time.After(poll):
		}
	}
}

// active reads the number of requests from "http.postern.downstream_rq_active: 3".
func active(stats string) int {
	_, value, _ := strings.Cut(strings.TrimSpace(stats), ": ")
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0
	}
	return n
}

// maxStats bounds an answer of the admin interface.
const maxStats = 64 << 10

func (e *Envoy) admin(ctx context.Context, method, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+e.o.Admin+path, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxStats))
	return string(text), err
}
