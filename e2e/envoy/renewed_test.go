package envoy

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// issue answers as token and secret endpoints do, to who presents the right
// secret. It repeats what it was sent when it refuses: that must show nowhere.
func issue(w http.ResponseWriter, r *http.Request) {
	sent, _ := io.ReadAll(r.Body)
	switch {
	case r.URL.Path == "/t/oauth2/v2.0/token" && strings.Contains(string(sent), "client_secret="+entraSecret),
		r.URL.Path == "/google" && strings.Contains(string(sent), "assertion=ey"):
		_, _ = io.WriteString(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"`+tokenSecret+`"}`)
	case r.URL.Path == "/vault":
		_, _ = io.WriteString(w, vaultSecret+"\n")
	case r.URL.Path == "/aws":
		_, _ = io.WriteString(w, `{"AccessKeyId":"AKIDCANARY","SecretAccessKey":"`+awsSecret+`","Token":"`+sessionSecret+`"}`)
	default:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"`+string(sent)+`"}`)
	}
}

// serviceAccount makes a key file, and remembers a part of its key.
func (c *canary) serviceAccount(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	c.private = strings.Split(text, "\n")[9]
	file, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "canary@test", "private_key_id": "1", "private_key": text})
	require.NoError(t, err)
	return string(file)
}

// renew sends requests that need every kind of credential, and keys of the
// client's own, brought where one may and where one may not.
func (c *canary) renew(t *testing.T, good []string) {
	t.Helper()
	for model, status := range map[string]int{"entra": 200, "vertex": 200, "vault": 200,
		"bedrock": 502, "container": 502} { // the mock speaks no API of AWS, and wants a key
		for range 2 {
			require.Equal(t, status, c.send(t, chatPath, prompt(model, ""), good, &c.answers), model)
		}
	}
	require.Equal(t, 200, c.send(t, chatPath, prompt("stranger", ""), good, &c.answers), "another target serves")
	own := func(provider string) []string {
		return append(good[:1:1], "x-postern-provider-key: "+provider+"="+ownSecret)
	}
	require.Equal(t, 200, c.send(t, chatPath, prompt("own", ""), own("own"), &c.answers))
	require.Equal(t, 401, c.send(t, chatPath, prompt("own", ""), own("gpt"), &c.told))
	require.Equal(t, 403, c.send(t, chatPath, prompt("gpt", ""), own("openai"), &c.told))
	require.Equal(t, 200, c.send(t, chatPath, prompt("gpt", ""), own("own"), &c.answers))
}

// renewedSaw checks what credentials came with, and that none came twice.
func (c *canary) renewedSaw(t *testing.T, clientKey string) {
	t.Helper()
	seen := map[string]int{}
	for _, r := range c.renewed.Requests() {
		var all strings.Builder
		require.NoError(t, r.Header.Write(&all))
		auth := r.Header.Get("Authorization")
		rest := strings.ReplaceAll(strings.ReplaceAll(all.String(), auth, ""), sessionSecret, "")
		for _, s := range []string{"canary-", clientKey, c.private} {
			require.NotContains(t, rest, s)
		}
		if signature, ok := strings.CutPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKIDCANARY/"); ok {
			require.NotContains(t, signature, "canary-")
			require.Equal(t, strings.Contains(signature, "x-amz-security-token"), r.Header.Get("X-Amz-Security-Token") == sessionSecret)
			auth = "signed"
		}
		seen[auth]++
	}
	require.Equal(t, map[string]int{"Bearer " + tokenSecret: 5, "Bearer " + vaultSecret: 2, "signed": 4, "Bearer " + ownSecret: 1}, seen)
}
