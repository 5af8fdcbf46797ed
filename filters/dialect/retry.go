package dialect

import (
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/wire/date"
)

// maxAfter bounds what a provider may ask us to wait.
const maxAfter = 24 * time.Hour

// RetryAfter is how long an answer asks its reader to wait: retry-after-ms or
// AWS's x-amz-retry-after (milliseconds), else retry-after (RFC 9110, section 10.2.3: seconds or a
// date, which counts from the answer's own date, so that no clock is needed).
// 0 when it does not say.
func RetryAfter(h Header) time.Duration {
	for _, name := range [...]string{"retry-after-ms", "x-amz-retry-after"} {
		if ms, err := strconv.ParseFloat(h(name), 64); err == nil {
			return clampAfter(ms / 1e3)
		}
	}
	v := h("retry-after")
	if v == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(v, 64); err == nil {
		return clampAfter(seconds)
	}
	until, err := date.HTTP(v)
	if err != nil {
		return 0
	}
	return Until(until, h)
}

// Until is the time from an answer's date to t, 0 when it has no date.
func Until(t time.Time, h Header) time.Duration {
	now, err := date.HTTP(h("date"))
	if err != nil {
		return 0
	}
	return clampAfter(t.Sub(now).Seconds())
}

// clampAfter turns seconds into a duration within bounds; NaN is 0.
func clampAfter(seconds float64) time.Duration {
	if !(seconds > 0) {
		return 0
	}
	if seconds > maxAfter.Seconds() {
		return maxAfter
	}
	return time.Duration(seconds * float64(time.Second))
}
