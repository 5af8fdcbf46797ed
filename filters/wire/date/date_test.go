package date_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/wire/date"
)

func TestRFC3339(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2027-06-30T00:00:00Z", "2027-06-30T00:00:00Z"},
		{"2024-02-29T23:59:59.25Z", "2024-02-29T23:59:59.25Z"},
		{"2027-06-30T12:00:00+02:00", "2027-06-30T10:00:00Z"},
		{"2027-01-01T00:30:00.123456789012-01:45", "2027-01-01T02:15:00.123456789Z"},
		{"2027-01-01T00:30:00+01:00", "2026-12-31T23:30:00Z"},
		{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
	}
	for _, tt := range tests {
		got, err := date.RFC3339(tt.text)
		require.NoError(t, err, tt.text)
		require.Equal(t, tt.want, got.Format(time.RFC3339Nano))
	}
	for _, text := range []string{
		"", "2027", "2027-06-30", "2027-06-30 00:00:00Z", "2027-06-30T00:00:00", "2027-06-30t00:00:00z",
		"2027-06-31T00:00:00Z", "2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-00-01T00:00:00Z", "2027-01-00T00:00:00Z",
		"2027-06-30T24:00:00Z", "2027-06-30T00:60:00Z", "2027-06-30T00:00:60Z", "2027-06-30T00:00:00.Z", "2027-06-30T00:00:00,5Z",
		"2027-06-30T00:00:00+0200", "2027-06-30T00:00:00+24:00", "2027-06-30T00:00:00Z ", " 2027-06-30T00:00:00Z",
		"2027-6-30T00:00:00Z", "+027-06-30T00:00:00Z", "2027-06-30T00:00:00−02:00",
	} {
		_, err := date.RFC3339(text)
		require.ErrorIs(t, err, date.ErrInvalid, text)
	}
}

func TestHTTP(t *testing.T) {
	got, err := date.HTTP("Sun, 06 Nov 1994 08:49:37 GMT") // the example of RFC 9110
	require.NoError(t, err)
	require.Equal(t, time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC), got)
	for _, text := range []string{
		"", "Sun", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "unM, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:60 GMT",
	} {
		_, err := date.HTTP(text)
		require.ErrorIs(t, err, date.ErrInvalid, text)
	}
}

// Every day of four years, and each month's name.
func TestEveryDay(t *testing.T) {
	day := time.Date(2026, 11, 23, 18, 5, 9, 0, time.UTC)
	for range 4 * 366 {
		got, err := date.HTTP(day.Format(http.TimeFormat))
		require.NoError(t, err)
		require.Equal(t, day, got)
		got, err = date.RFC3339(day.Format(time.RFC3339))
		require.NoError(t, err)
		require.Equal(t, day, got)
		day = day.Add(24 * time.Hour)
	}
}

// FuzzRFC3339: what is accepted, time.Parse reads as the same time.
func FuzzRFC3339(f *testing.F) {
	f.Add("2027-06-30T12:00:00.25+02:00")
	f.Add("2024-02-29T23:59:59Z")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := date.RFC3339(text)
		if err != nil {
			return
		}
		want, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		require.True(t, want.Equal(got))
	})
}

// FuzzHTTP: what is accepted, net/http reads as the same time.
func FuzzHTTP(f *testing.F) {
	f.Add("Sun, 06 Nov 1994 08:49:37 GMT")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := date.HTTP(text)
		if err != nil {
			return
		}
		want, err := http.ParseTime(text)
		require.NoError(t, err)
		require.True(t, want.Equal(got))
	})
}
