package config

import "strings"

// MaxName is the greatest length of a name in bytes.
const MaxName = 128

const nameRule = "a name has 1 to 128 characters of A-Z a-z 0-9 . _ : @ / -"

// ValidName reports whether s may name a model, a target, a provider or
// anything else that a document names: 1 to MaxName characters of
// [A-Za-z0-9._:@/-].
func ValidName(s string) bool {
	if s == "" || len(s) > MaxName {
		return false
	}
	for i := range len(s) {
		if !nameByte(s[i]) {
			return false
		}
	}
	return true
}

func nameByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	case c == '.', c == '_', c == ':', c == '@', c == '/', c == '-':
		return true
	}
	return false
}

// CheckCluster demands what ValidName does of a proxy's name for an upstream,
// which may hold bars as well: Istio's are `outbound|443||api.openai.com`.
func CheckCluster(s string) error {
	if ValidName(strings.ReplaceAll(s, "|", "_")) {
		return nil
	}
	return Problem(Quote(s)+" is not a name", "a cluster's name has 1 to 128 characters of A-Z a-z 0-9 . _ : @ / - |")
}
