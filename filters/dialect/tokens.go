package dialect

// MaxTokens bounds a count of tokens, so that sums cannot overflow.
const MaxTokens = 1 << 48

// Tokens is a count that a provider told, within the bounds of one.
func Tokens(n int64) int64 { return min(max(n, 0), MaxTokens) }

// Take moves n tokens, or what is left, out of a bucket.
func Take(from *int64, n int64) int64 {
	n = min(n, *from)
	*from -= n
	return n
}
