package config

import "strings"

// URL is a base URL: what a configuration says of where an endpoint is.
type URL struct {
	Secure bool   // https
	Host   string // authority: host[:port], as in :authority
	Path   string // without a final slash; empty or beginning with one
}

var errURL = Problem("not a URL of the form http(s)://host[:port][/path]", "for example https://api.openai.com/v1")

// ParseURL takes the part of RFC 3986 that a base URL needs: no user
// information (that would be an inline secret), no query, no fragment.
func ParseURL(s string) (URL, error) {
	var u URL
	rest, ok := strings.CutPrefix(s, "https://")
	if u.Secure = ok; !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	if !ok || strings.ContainsFunc(rest, forbidden) {
		return u, errURL
	}
	u.Host, u.Path, _ = strings.Cut(rest, "/")
	if u.Host == "" {
		return u, errURL
	}
	if u.Path = strings.Trim(u.Path, "/"); u.Path != "" {
		u.Path = "/" + u.Path
	}
	return u, nil
}

// forbidden are characters that a base URL has no place for, or that would have
// to be encoded.
func forbidden(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("@?#\\\"<>", r) }

// CheckURL is ParseURL as a Check.
func CheckURL(s string) error {
	_, err := ParseURL(s)
	return err
}

// Address is the host without brackets, and the port, that of the scheme if
// none is given.
func (u *URL) Address() (host, port string) {
	port = "80"
	if u.Secure {
		port = "443"
	}
	host = u.Host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i+1:]
	}
	return strings.Trim(host, "[]"), port
}
