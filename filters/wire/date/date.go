// Package date reads the two spellings of a time that Postern meets: that of
// RFC 3339 and that of HTTP.
//
// It is strict and has no layouts: time.Parse, which has them, is 35 KB of
// module. The package writes no dates and knows no zone but an offset.
package date

import (
	"errors"
	"strings"
	"time"
)

// ErrInvalid is the error for a text that is not a date of the form asked for.
var ErrInvalid = errors.New("not a date")

// RFC3339 reads a date-time of RFC 3339, section 5.6, such as
// 2027-06-30T12:00:00.25+02:00, as UTC. Digits beyond the nanosecond are
// dropped; a leap second is not a date.
func RFC3339(s string) (time.Time, error) {
	r := reader{rest: s}
	year := r.number(4, 0, 9999)
	r.pass("-")
	month := r.number(2, 1, 12)
	r.pass("-")
	day := r.number(2, 1, 31)
	r.pass("T")
	clock := r.clock()
	nanoseconds := r.fraction()
	return r.date(year, month, day, clock-r.offset(), nanoseconds)
}

const (
	days   = "MonTueWedThuFriSatSun"
	months = "JanFebMarAprMayJunJulAugSepOctNovDec"
)

// HTTP reads a date in the preferred form of RFC 9110, section 5.6.7:
// Sun, 06 Nov 1994 08:49:37 GMT. Whether that was a Sunday is not tested.
func HTTP(s string) (time.Time, error) {
	r := reader{rest: s}
	r.name(days)
	r.pass(", ")
	day := r.number(2, 1, 31)
	r.pass(" ")
	month := r.name(months)
	r.pass(" ")
	year := r.number(4, 0, 9999)
	r.pass(" ")
	clock := r.clock()
	r.pass(" GMT")
	return r.date(year, month, day, clock, 0)
}

// reader takes a text apart; wrong says that it did not have the form.
type reader struct {
	rest  string
	wrong bool
}

// pass takes what must stand here.
//
//go:noinline
func (r *reader) pass(s string) {
	rest, ok := strings.CutPrefix(r.rest, s)
	r.rest, r.wrong = rest, r.wrong || !ok
}

// number takes a number of n digits between bounds.
//
//go:noinline
func (r *reader) number(n, least, most int) int {
	if len(r.rest) < n {
		r.wrong = true
		return least
	}
	v := 0
	for i := range n {
		c := r.rest[i]
		r.wrong = r.wrong || c < '0' || c > '9'
		v = 10*v + int(c-'0')
	}
	r.rest, r.wrong = r.rest[n:], r.wrong || v < least || v > most
	return v
}

// name takes one of the names of three letters in all, and returns its number
// from 1 on.
func (r *reader) name(all string) int {
	if len(r.rest) < 3 {
		r.wrong = true
		return 0
	}
	at := strings.Index(all, r.rest[:3])
	r.rest, r.wrong = r.rest[3:], r.wrong || at < 0 || at%3 != 0
	return at/3 + 1
}

// clock takes hh:mm:ss and returns seconds.
func (r *reader) clock() int {
	hours := r.number(2, 0, 23)
	r.pass(":")
	minutes := r.number(2, 0, 59)
	r.pass(":")
	return 3600*hours + 60*minutes + r.number(2, 0, 59)
}

// fraction takes a fraction of a second, if there is one, and returns
// nanoseconds.
func (r *reader) fraction() int {
	if !strings.HasPrefix(r.rest, ".") {
		return 0
	}
	v, n := 0, 1
	for unit := 100_000_000; n < len(r.rest) && '0' <= r.rest[n] && r.rest[n] <= '9'; n++ {
		v += unit * int(r.rest[n]-'0')
		unit /= 10
	}
	r.rest, r.wrong = r.rest[n:], r.wrong || n == 1
	return v
}

// offset takes the zone and returns the seconds that it is ahead of UTC.
func (r *reader) offset() int {
	if r.rest == "Z" {
		r.rest = ""
		return 0
	}
	sign := 1
	if strings.HasPrefix(r.rest, "-") {
		sign = -1
		r.pass("-")
	} else {
		r.pass("+")
	}
	hours := r.number(2, 0, 23)
	r.pass(":")
	return sign * (3600*hours + 60*r.number(2, 0, 59))
}

// date returns the time if all was as it must be and nothing follows.
func (r *reader) date(year, month, day, seconds, nanoseconds int) (time.Time, error) {
	midnight := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if r.wrong || r.rest != "" || midnight.Day() != day {
		return time.Time{}, ErrInvalid
	}
	return time.Unix(midnight.Unix()+int64(seconds), int64(nanoseconds)).UTC(), nil
}
