package rs256

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	stdlib "crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func generate(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	require.NoError(t, err)
	return key
}

func encode(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func pkcs8(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return encode("PRIVATE KEY", der)
}

// Signatures are those of the standard library, byte for byte: the scheme has
// no chance in it.
func TestSign(t *testing.T) {
	for _, bits := range []int{2048, 2056, 3072} {
		key := generate(t, bits)
		for form, text := range map[string]string{
			"PKCS #8": pkcs8(t, key),
			"PKCS #1": encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)),
		} {
			k, err := Parse(text)
			require.NoError(t, err, form)
			for _, message := range []string{"", "a", strings.Repeat("token", 100)} {
				sum := stdlib.Sum256([]byte(message))
				want, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
				require.NoError(t, err)
				got, err := k.Sign([]byte(message))
				require.NoError(t, err)
				require.Equal(t, want, got, "%s, %d bits", form, bits)
			}
		}
	}
}

// A file from elsewhere: other ends of lines, text around it, indented.
func TestForms(t *testing.T) {
	text := pkcs8(t, generate(t, 2048))
	for _, form := range []string{strings.ReplaceAll(text, "\n", "\r\n"), "a comment\n" + text + "and more\n",
		strings.ReplaceAll(text, "\n", "\n   "), strings.ReplaceAll(text, "\n", "")} {
		_, err := Parse(form)
		require.NoError(t, err)
	}
}

type parts struct {
	Version               int
	N                     *big.Int
	E                     int
	D, P, Q, Dp, Dq, Qinv *big.Int
	More                  []*big.Int `asn1:"optional"`
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	key := generate(t, 2048)
	fresh := func() *parts {
		return &parts{0, key.N, key.E, key.D, key.Primes[0], key.Primes[1], key.Precomputed.Dp, key.Precomputed.Dq, key.Precomputed.Qinv, nil}
	}
	changed := func(change func(*parts)) string {
		p := fresh()
		change(p)
		der, err := asn1.Marshal(*p)
		require.NoError(t, err)
		return encode("RSA PRIVATE KEY", der)
	}
	good := pkcs8(t, key)
	_, other, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	tests := []struct {
		name, text string
		want       Error
	}{
		{"nothing", "", ErrPEM},
		{"no end", good[:len(good)-30], ErrPEM},
		{"not base64", strings.Replace(good, "A", "!", 1), ErrPEM},
		{"a public key", encode("PUBLIC KEY", []byte{1}), ErrPEM},
		{"an encrypted key", encode("ENCRYPTED PRIVATE KEY", []byte{1}), ErrPEM},
		{"far too long", good + strings.Repeat(" ", maxText), ErrPEM},
		{"another kind of key", pkcs8(t, other), ErrDER},
		{"empty", encode("PRIVATE KEY", nil), ErrDER},
		{"a key of several primes", changed(func(p *parts) { p.Version = 1 }), ErrDER},
		{"more than a key", changed(func(p *parts) { p.More = []*big.Int{key.N} }), ErrDER},
		{"negative", changed(func(p *parts) { p.Dq = new(big.Int).Neg(p.Dq) }), ErrDER},
		{"too small", encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small(t))), ErrSize},
		{"even", changed(func(p *parts) { p.P = new(big.Int).Add(p.P, big.NewInt(1)) }), ErrKey},
		{"an exponent of one", changed(func(p *parts) { p.E = 1 }), ErrKey},
		{"other primes", changed(func(p *parts) { p.N = new(big.Int).Add(p.N, big.NewInt(2)) }), ErrKey},
		{"too long a remainder", changed(func(p *parts) { p.Dp = key.N }), ErrKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, err := Parse(tt.text)
			require.Nil(t, k)
			require.Equal(t, tt.want, err)
		})
	}
	for name, change := range map[string]func(*parts){
		"dp":   func(p *parts) { p.Dp = new(big.Int).Sub(p.Dp, big.NewInt(2)) },
		"dq":   func(p *parts) { p.Dq = new(big.Int).Sub(p.Dq, big.NewInt(2)) },
		"qinv": func(p *parts) { p.Qinv = new(big.Int).Sub(p.Qinv, big.NewInt(2)) },
		"e":    func(p *parts) { p.E = 3 },
	} {
		k, err := Parse(changed(change))
		require.NoError(t, err, name)
		_, err = k.Sign([]byte("x"))
		require.Equal(t, ErrFault, err, name)
	}
}

func small(t *testing.T) *rsa.PrivateKey {
	t.Setenv("GODEBUG", "rsa1024min=0")
	return generate(t, 1024)
}

func toBig(n number) *big.Int { return new(big.Int).SetBytes(n.bytes(4 * len(n))) }

// The arithmetic against math/big.
func TestArithmetic(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) number {
		return rapid.SliceOfN(rapid.OneOf(rapid.Just(uint32(0)), rapid.Just(^uint32(0)), rapid.Uint32()), 1, 6).Draw(t, "limbs")
	})
	rapid.Check(t, func(t *rapid.T) {
		m := draw.Draw(t, "m")
		m[0] |= 1
		m[len(m)-1] |= 2
		a, b, e := draw.Draw(t, "a"), draw.Draw(t, "b"), draw.Draw(t, "e")
		M, A, B := toBig(m), toBig(a), toBig(b)
		mod := func(x *big.Int) *big.Int { return new(big.Int).Mod(x, M) }

		ra, rb := remainder(a, m), remainder(b, m)
		require.Zero(t, mod(A).Cmp(toBig(ra)))
		require.Equal(t, A.Cmp(B), compare(a, b))
		require.Zero(t, new(big.Int).Mul(A, B).Cmp(toBig(multiply(a, b))))
		md := newModulus(m)
		require.Zero(t, mod(new(big.Int).Mul(A, B)).Cmp(toBig(md.times(ra, rb))))
		require.Zero(t, mod(new(big.Int).Sub(toBig(ra), toBig(rb))).Cmp(toBig(md.minus(ra, rb))))
		require.Zero(t, new(big.Int).Exp(A, toBig(e), M).Cmp(toBig(md.exp(ra, e))))
		require.Equal(t, a, fromBytes(a.bytes(4*len(a))))
	})
}

// Whatever a text is, reading it comes to an end without a panic, and a key that
// comes out of it has parts that fit. (Signing under the fuzzer's
// instrumentation takes half a second: TestSign does it.)
func FuzzParse(f *testing.F) {
	key := generate(f, 2048)
	f.Add([]byte(pkcs8(f, key)), false)
	f.Add(x509.MarshalPKCS1PrivateKey(key), true)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(f, err)
	f.Add(der, true)
	f.Fuzz(func(t *testing.T, data []byte, wrap bool) {
		texts := []string{string(data)}
		if wrap {
			texts = []string{encode("PRIVATE KEY", data), encode("RSA PRIVATE KEY", data)}
		}
		for _, text := range texts {
			k, err := Parse(text)
			if err != nil {
				require.IsType(t, Error(""), err)
				continue
			}
			require.Equal(t, toBig(k.n.m), new(big.Int).Mul(toBig(k.p.m), toBig(k.q.m)))
			require.LessOrEqual(t, k.size, maxBits/8)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	k, err := Parse(pkcs8(b, generate(b, 2048)))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = k.Sign([]byte("message"))
	}
}
