package jsonx

import (
	"encoding/json"
	"math/big"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInt(t *testing.T) {
	for raw, want := range map[string]int64{
		"0": 0, "-0": 0, "7": 7, "-12": -12, "10.0": 10, "1e3": 1000, "1.50e2": 150, "1E+2": 100, "2500e-2": 25, "0e999999999999": 0,
		"0.000": 0, "-0.0e5": 0, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63, "9223372036854775807000e-3": 1<<63 - 1,
		"922337203685477580.7e1": 1<<63 - 1, "1e18": 1e18,
	} {
		got, ok := Int([]byte(raw))
		require.True(t, ok, raw)
		require.Equal(t, want, got, raw)
	}
	for _, raw := range []string{
		"", "-", "+1", "1_000", "0x10", "1.5", "1e-1", "01", "1.", "1e", "9223372036854775808", "1e19", "1e999999999999999999999",
		"1e-999999999999999999999", `"1"`, "true", "1 ", " 1", "-9223372036854775809", "NaN",
	} {
		_, ok := Int([]byte(raw))
		require.False(t, ok, raw)
	}
}

func TestFloat(t *testing.T) {
	got, ok := Float([]byte("-1.5e3"))
	require.True(t, ok)
	require.InDelta(t, -1500, got, 0)
	for _, raw := range []string{"", "x", "1e999", "+1", "Inf", "NaN", "0x1p4", `"1"`, "1_0"} {
		_, ok := Float([]byte(raw))
		require.False(t, ok, raw)
	}
}

func TestBool(t *testing.T) {
	for raw, want := range map[string][2]bool{"true": {true, true}, "false": {false, true}, "null": {}, "True": {}, "": {}} {
		v, ok := Bool([]byte(raw))
		require.Equal(t, want, [2]bool{v, ok}, raw)
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0.0e+5", "12345678901234567890e-2", "1.25e2", "1e20", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		valid := json.Valid([]byte(raw)) && KindOf([]byte(raw)) == Number && raw == string(json.RawMessage(raw)) && !isSpace(raw[0]) && !isSpace(raw[len(raw)-1])
		got, ok := Int([]byte(raw))
		fl, fok := Float([]byte(raw))
		if !valid {
			require.False(t, ok, raw)
			return
		}
		std, err := strconv.ParseFloat(raw, 64)
		require.Equal(t, err == nil, fok, raw)
		if fok {
			require.Equal(t, std, fl)
		}
		if exp, _ := strconv.Atoi(after(raw)); exp > 1000 || exp < -1000 || len(raw) > 1000 {
			return // too much for the reference
		}
		want, okay := new(big.Rat).SetString(raw)
		require.True(t, okay, raw)
		isInt := want.IsInt() && want.Num().IsInt64()
		require.Equal(t, isInt, ok, raw)
		if ok {
			require.Equal(t, want.Num().Int64(), got, raw)
		}
	})
}

// after returns the exponent of a number.
func after(raw string) string {
	for i := range raw {
		if raw[i]|0x20 == 'e' {
			return raw[i+1:]
		}
	}
	return ""
}
