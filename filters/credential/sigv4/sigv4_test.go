package sigv4

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/sha256"
	"github.com/posterngw/postern/filters/wire/percent"
)

var suiteTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

var suiteKeys = Keys{ID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}

const stsToken = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

// vector is a case of the suite that AWS publishes for this algorithm
// (aws-sig-v4-test-suite, as in awslabs/aws-c-auth, tests/aws-signing-test-suite/v4),
// with the signature that it gives for signing by headers. All are for the
// service "service" in us-east-1 on example.amazonaws.com.
type vector struct {
	name, method, target string
	header               [][2]string
	body                 string
	keep                 bool // the path is not to be normalized
	sum                  bool // the body's digest is signed as a header, too
	token                string
	after                bool // the token is added after signing
	want                 string
}

var vectors = []vector{
	{name: "get-header-key-duplicate", target: "/", header: [][2]string{{"my-header1", "value2"}, {"my-header1", "value2"}, {"my-header1", "value1"}}, want: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
	{name: "get-header-value-multiline", target: "/", header: [][2]string{{"my-header1", "value1\n  value2\n     value3"}}, want: "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd"},
	{name: "get-header-value-order", target: "/", header: [][2]string{{"my-header1", "value4"}, {"my-header1", "value1"}, {"my-header1", "value3"}, {"my-header1", "value2"}}, want: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
	{name: "get-header-value-trim", target: "/", header: [][2]string{{"my-header1", " value1"}, {"my-header2", " \"a   b   c\""}}, want: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
	{name: "get-relative-normalized", target: "/example/..", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "get-relative-relative-normalized", target: "/example1/example2/../..", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "get-relative-relative-unnormalized", target: "/example1/example2/../..", keep: true, want: "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b"},
	{name: "get-relative-unnormalized", target: "/example/..", keep: true, want: "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282"},
	{name: "get-slash-dot-slash-normalized", target: "/./", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "get-slash-dot-slash-unnormalized", target: "/./", keep: true, want: "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145"},
	{name: "get-slash-normalized", target: "//", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "get-slash-pointless-dot-normalized", target: "/./example", want: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
	{name: "get-slash-pointless-dot-unnormalized", target: "/./example", keep: true, want: "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"},
	{name: "get-slash-unnormalized", target: "//", keep: true, want: "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e"},
	{name: "get-slashes-normalized", target: "//example//", want: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
	{name: "get-slashes-unnormalized", target: "//example//", keep: true, want: "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"},
	{name: "get-space-normalized", target: "/example space/", want: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
	{name: "get-space-unnormalized", target: "/example space/", keep: true, want: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
	{name: "get-unreserved", target: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", want: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
	{name: "get-utf8", target: "/ሴ", want: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
	{name: "get-vanilla-empty-query-key", target: "/?Param1=value1", want: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
	{name: "get-vanilla-query-order-encoded", target: "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", want: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
	{name: "get-vanilla-query-order-key-case", target: "/?Param2=value2&Param1=value1", want: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	{name: "get-vanilla-query-unreserved", target: "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", want: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
	{name: "get-vanilla-query", target: "/", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "get-vanilla-utf8-query", target: "/?ሴ=bar", want: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
	{name: "get-vanilla-with-session-token", target: "/", token: "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267", want: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
	{name: "get-vanilla", target: "/", want: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{name: "post-header-key-case", method: "POST", target: "/", want: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	{name: "post-header-key-sort", method: "POST", target: "/", header: [][2]string{{"my-header1", "value1"}}, want: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
	{name: "post-header-value-case", method: "POST", target: "/", header: [][2]string{{"my-header1", "VALUE1"}}, want: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
	{name: "post-sts-header-after", method: "POST", target: "/", token: stsToken, after: true, want: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	{name: "post-sts-header-before", method: "POST", target: "/", token: stsToken, want: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
	{name: "post-vanilla-empty-query-value", method: "POST", target: "/?Param1=value1", want: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
	{name: "post-vanilla-query", method: "POST", target: "/?Param1=value1", want: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
	{name: "post-vanilla", method: "POST", target: "/", want: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	{name: "post-x-www-form-urlencoded-parameters", method: "POST", target: "/", header: [][2]string{{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}, {"content-length", "13"}}, body: "Param1=value1", sum: true, want: "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
	{name: "post-x-www-form-urlencoded", method: "POST", target: "/", header: [][2]string{{"content-type", "application/x-www-form-urlencoded"}, {"content-length", "13"}}, body: "Param1=value1", sum: true, want: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
}

func TestVectors(t *testing.T) {
	require.Len(t, vectors, 38)
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			s := Signer{Region: "us-east-1", Service: "service", KeepPath: v.keep}
			r := Request{Method: "GET", Target: v.target, Now: suiteTime, Sum: sha256.Sum256([]byte(v.body)),
				Header: append([][2]string{{"host", "example.amazonaws.com"}}, v.header...)}
			if v.method != "" {
				r.Method = v.method
			}
			if v.sum {
				r.Header = append(r.Header, [2]string{"x-amz-content-sha256", hex.EncodeToString(r.Sum[:])})
			}
			keys := suiteKeys
			if !v.after {
				keys.Token = v.token
			}
			got := s.Headers(nil, &r, &keys)
			last := got[len(got)-1]
			require.Equal(t, "authorization", last[0])
			require.Equal(t, v.want, last[1][strings.LastIndexByte(last[1], '=')+1:], "%s", s.canonical(nil, &r, sortHeaders(r.Header, got[:len(got)-1]), ""))
			require.True(t, strings.HasPrefix(last[1], "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="))
			require.Equal(t, [2]string{"x-amz-date", "20150830T123600Z"}, got[0])
			require.Equal(t, keys.Token != "", len(got) == 3)
		})
	}
}

// A signer whose day, keys or both change signs as a new one does.
func TestSignerForgets(t *testing.T) {
	used := Signer{Region: "eu-central-1", Service: "bedrock"}
	for _, keys := range []Keys{suiteKeys, {"B", "other", "t"}, suiteKeys} {
		for day := range 3 {
			r := Request{Method: "POST", Target: "/model/a:b/converse", Now: suiteTime.AddDate(0, 0, day%2)}
			fresh := Signer{Region: "eu-central-1", Service: "bedrock"}
			require.Equal(t, fresh.Headers(nil, &r, &keys), used.Headers(nil, &r, &keys))
		}
	}
}

// What a model's id may hold, encoded on the wire or not: the canonical path is
// the wire's, encoded once more.
func TestPaths(t *testing.T) {
	for wire, want := range map[string]string{
		"/model/anthropic.claude-3-5-sonnet-20241022-v2:0/converse":                 "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse",
		"/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse":               "/model/anthropic.claude-3-5-sonnet-20241022-v2%253A0/converse",
		"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/invoke": "/model/arn%253Aaws%253Abedrock%253Aus-east-1%253A1%253Ainference-profile%252Fx/invoke",
		"":                "/",
		"/a//b/./c/../d/": "/a/b/d/",
		"/../..":          "/",
		"//":              "/",
		"/..a/.b":         "/..a/.b",
	} {
		path, _ := cutTarget(wire)
		require.Equal(t, want, string(percent.AppendPath(nil, normalize(path))), wire)
	}
}

func TestQueries(t *testing.T) {
	for wire, want := range map[string]string{
		"":                  "",
		"b&a=&&a=2&a=1":     "a=&a=1&a=2&b=",
		"a=x+y&b=%7e&c=%2f": "a=x%20y&b=~&c=%2F",
		"a=100%&b=%4":       "a=100%25&b=%254",
		"k=a=b":             "k=a%3Db",
	} {
		require.Equal(t, want, string(appendQuery(nil, wire)), wire)
	}
}

func BenchmarkHeaders(b *testing.B) {
	s := Signer{Region: "us-east-1", Service: "bedrock"}
	r := Request{Method: "POST", Target: "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse", Now: suiteTime,
		Header: [][2]string{{"host", "bedrock-runtime.us-east-1.amazonaws.com"}}}
	b.ReportAllocs()
	for b.Loop() {
		s.Headers(nil, &r, &suiteKeys)
	}
}
