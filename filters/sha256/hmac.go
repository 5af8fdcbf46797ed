package sha256

// HMAC is the keyed digest of text (RFC 2104).
func HMAC(key, text []byte) (mac [Size]byte) {
	var inner, outer [BlockSize]byte
	if len(key) > BlockSize {
		sum := Sum256(key)
		key = sum[:]
	}
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	h := New()
	_, _ = h.Write(inner[:])
	_, _ = h.Write(text)
	sum := h.Sum(nil)
	h.Reset()
	_, _ = h.Write(outer[:])
	_, _ = h.Write(sum)
	h.Sum(mac[:0])
	return mac
}
