package oracle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/credential/sigv4"
	"github.com/posterngw/postern/filters/wire/percent"
)

// models are ids of Bedrock's: with a version, of a profile, and whole ARNs.
var models = []string{"anthropic.claude-3-5-sonnet-20241022-v2:0", "us.meta.llama3-3-70b-instruct-v1:0",
	"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-5-haiku-20241022-v1:0",
	"arn:aws:bedrock:eu-west-1:123456789012:provisioned-model/abc", "a b+c%d~é"}

// target is a request's path and query, encoded as a client may.
func target(t *rapid.T) string {
	path := "/model/" + string(percent.Append(nil, rapid.SampledFrom(models).Draw(t, "model"))) + "/converse"
	if rapid.Bool().Draw(t, "other") {
		segments := rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z0-9:@!$&'()*+,;=_~ é-]{1,12}`), 1, 4).Draw(t, "segments")
		path = ""
		for _, s := range segments {
			path += "/" + string(percent.Append(nil, s))
		}
	}
	var query []string
	for _, p := range rapid.SliceOfN(rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z0-9 /=&+%~é:]{0,6}`), 2, 2), 0, 4).Draw(t, "query") {
		query = append(query, string(percent.Append(nil, "k"+p[0]))+"="+string(percent.Append(nil, p[1])))
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return path
}

// The signer against that of the AWS SDK.
func TestSigV4(t *testing.T) {
	official := v4.NewSigner()
	ours := map[string]*sigv4.Signer{} // each keeps its derived key from request to request
	rapid.Check(t, func(t *rapid.T) {
		region := rapid.SampledFrom([]string{"us-east-1", "eu-central-1", "us-gov-west-1"}).Draw(t, "region")
		keys := sigv4.Keys{ID: rapid.StringMatching(`AKIA[A-Z0-9]{16}`).Draw(t, "id"),
			Secret: rapid.StringMatching(`[A-Za-z0-9/+]{1,80}`).Draw(t, "secret"), Token: rapid.StringMatching(`([A-Za-z0-9/+=]{1,300})?`).Draw(t, "token")}
		host := rapid.SampledFrom([]string{"bedrock-runtime." + region + ".amazonaws.com", "127.0.0.1:8443"}).Draw(t, "host")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		now := time.Unix(rapid.Int64Range(1_000_000_000, 4_000_000_000).Draw(t, "now"), 0)
		method := rapid.SampledFrom([]string{"POST", "GET"}).Draw(t, "method")
		at := target(t)
		sum := sha256.Sum256(body)

		want, err := http.NewRequest(method, "https://"+host+at, nil)
		require.NoError(t, err)
		r := sigv4.Request{Method: method, Target: at, Header: [][2]string{{"host", host}}, Sum: sum, Now: now}
		if rapid.Bool().Draw(t, "more") {
			value := rapid.StringMatching(`[ a-z",;]{0,20}`).Draw(t, "value")
			want.Header.Set("X-Amzn-Note", value)
			r.Header = append(r.Header, [2]string{"x-amzn-note", value})
		}
		err = official.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: keys.ID, SecretAccessKey: keys.Secret, SessionToken: keys.Token},
			want, hex.EncodeToString(sum[:]), "bedrock", region, now)
		require.NoError(t, err)
		if ours[region] == nil {
			ours[region] = &sigv4.Signer{Region: region, Service: "bedrock"}
		}
		for _, h := range ours[region].Headers(nil, &r, &keys) {
			require.Equal(t, want.Header.Get(h[0]), h[1], h[0])
		}
	})
}
