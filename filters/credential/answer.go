package credential

import (
	"strings"
	"time"

	"github.com/posterngw/postern/filters/wire/date"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

const (
	maxAnswer   = 64 << 10 // bytes
	maxLifetime = 24 * time.Hour
)

// answerLimits bound what an endpoint answers, and a key file.
var answerLimits = jsonx.Limits{Depth: 8, Bytes: maxAnswer}

// text is a member that is a string; empty without it.
func text(d *jsonx.Document, i int) string {
	return string(jsonx.Unescape(nil, jsonx.Interior(d.Raw(i))))
}

var tokenKeys = jsonx.NewKeys("access_token", "expires_in", "token_type", "key")

// readToken reads the answer of an OAuth 2.0 token endpoint (RFC 6749, section
// 5.1). Some write the lifetime as a string. lifetime is that of a token that
// does not say.
func readToken(body []byte, now time.Time, lifetime time.Duration) (g grant, problem string) {
	d, bad := jsonx.Scan(body, tokenKeys, answerLimits)
	if bad != nil {
		return g, "is no JSON object"
	}
	token := text(&d, 0)
	if token == "" {
		token = text(&d, 3)
	}
	if kind := text(&d, 2); kind != "" && !strings.EqualFold(kind, "Bearer") {
		return g, "holds another kind of token"
	}
	if raw := d.Raw(1); raw != nil {
		n, ok := jsonx.Int(jsonx.Interior(raw))
		if !ok {
			n, ok = jsonx.Int(raw)
		}
		if !ok || n <= 0 {
			return g, "does not say how long the token lives"
		}
		lifetime = time.Duration(min(n, int64(maxLifetime/time.Second))) * time.Second
	}
	return granted(token, now.Add(lifetime))
}

func granted(token string, expires time.Time) (g grant, problem string) {
	if judge(token) != "" {
		return g, "holds no token that can be sent"
	}
	return grant{secret: NewSecret(token), expires: expires}, ""
}

// readKey reads the answer of a secret endpoint: the key as plain text, or the
// form of readToken, where the key may also be called `key`.
func readKey(body []byte, now time.Time, lifetime time.Duration) (grant, string) {
	plain := strings.Trim(string(body[:min(len(body), maxAnswer)]), " \t\r\n")
	if strings.HasPrefix(plain, "{") {
		return readToken(body, now, lifetime)
	}
	return granted(plain, now.Add(lifetime))
}

var awsKeys = jsonx.NewKeys("AccessKeyId", "SecretAccessKey", "Token", "Expiration")

// readAWS reads the answer of a container credentials endpoint.
func readAWS(body []byte, now time.Time, lifetime time.Duration) (g grant, problem string) {
	d, bad := jsonx.Scan(body, awsKeys, answerLimits)
	if bad != nil {
		return g, "is no JSON object"
	}
	g, problem = granted(text(&d, 1), now.Add(lifetime))
	g.id = text(&d, 0)
	session := text(&d, 2)
	if problem != "" || judge(g.id) != "" || session != "" && judge(session) != "" {
		return grant{}, "holds no keys for AWS"
	}
	g.session = NewSecret(session)
	if end := text(&d, 3); end != "" {
		expires, err := date.RFC3339(end)
		if err != nil || !now.Before(expires) {
			return grant{}, "holds keys that have expired"
		}
		g.expires = expires
	}
	return g, ""
}

var errorKeys = jsonx.NewKeys("error")

// reason is the code of an OAuth error (RFC 6749, section 5.2), with a space
// before it. It is a word; whatever else stands there is not repeated.
func reason(body []byte) string {
	d, bad := jsonx.Scan(body, errorKeys, answerLimits)
	if bad != nil {
		return ""
	}
	code := text(&d, 0)
	if code == "" || len(code) > 40 {
		return ""
	}
	for i := range len(code) {
		if c := code[i]; c != '_' && (c < 'a' || c > 'z') {
			return ""
		}
	}
	return " " + code
}
