// Package aws is what the codecs of models on Amazon Bedrock have in common: the
// paths that name a model, the errors of AWS's JSON protocol, and answers whose
// events are the chunks of an AWS event stream (source: the API reference of the
// Bedrock runtime, and the AWS SDK for Go v2, service/bedrockruntime v1.63).
//
// It knows no model's request and no answer: those are the dialects'. It signs
// nothing (filters/credential) and frames nothing (filters/wire/eventstream).
package aws

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/percent"
)

// ModelPath is the path of an action on a model. The name may be an ARN: all but
// what RFC 3986 calls unreserved is escaped, as the SDKs do.
func ModelPath(base, model, action string) string {
	b := make([]byte, 0, len(base)+len(model)+len(action)+24)
	b = percent.Append(append(append(b, base...), "/model/"...), model)
	return string(append(append(b, '/'), action...))
}

// Action takes a path "/model/{name}/{action}" apart. The name may hold slashes,
// escaped or not: some clients send an ARN as it is.
func Action(path string) (model, action string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/model/")
	at := strings.LastIndexByte(rest, '/')
	if !ok || at < 1 {
		return "", "", false
	}
	model, ok = percent.Unescape(rest[:at])
	return model, rest[at+1:], ok
}

// Token is the API key of a client: a bearer token (AWS_BEARER_TOKEN_BEDROCK). A
// signature (AWS4-HMAC-SHA256) is not a token: it says who signed a request to
// AWS, which nobody but AWS can verify.
func Token(l *dialect.Line) (token, header string) {
	if token = dialect.Bearer(l.Header); token != "" {
		return token, "authorization"
	}
	return "", ""
}

// Credential is the header for an API key of Bedrock.
func Credential(key string) (name, value string) { return "authorization", "Bearer " + key }

// makers are the first parts of model names on Bedrock that say who made the
// model. Before them may stand a region's inference profile ("us.", "global.").
var makers = []string{"anthropic.", "amazon.", "meta.", "mistral.", "cohere.", "ai21.", "deepseek.", "openai.", "qwen.",
	"writer.", "stability.", "twelvelabs.", "luma.", "google.", "nvidia.", "minimax.", "moonshot.", "moonshotai.", "zai."}

// Family is a model's name from its maker on, in lower case: what is before it in
// an ARN or for an inference profile is left out. Empty when no maker is named, as
// in the ARN of an application's profile.
func Family(model string) string {
	model = strings.ToLower(model)
	if at := strings.LastIndexByte(model, '/'); at >= 0 {
		model = model[at+1:]
	}
	for _, m := range makers {
		if at := strings.Index(model, m); at == 0 || at > 0 && model[at-1] == '.' {
			return model[at:]
		}
	}
	return ""
}

// Counted is what the headers of an answer say of its tokens, for answers whose
// bodies do not.
func Counted(h dialect.Header) llm.Usage {
	in, some := count(h("x-amzn-bedrock-input-token-count"))
	out, more := count(h("x-amzn-bedrock-output-token-count"))
	return llm.Usage{Input: in, Output: out, Known: some || more}
}

func count(s string) (n int64, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > dialect.MaxTokens {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, s != ""
}
