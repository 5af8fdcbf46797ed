// Package identity says who asks: it turns what a request presents (an API key,
// or claims that the host has verified) into a Principal, or into a 401.
//
// An API key is "id.secret". The id finds the key's entry, one SHA-256 of the
// secret is compared in constant time; the secret is 32 random bytes, so a slow
// hash would protect nothing, and 10,000 keys cost what 10 cost.
//
// Who presents a key is judged by the key alone: a refused key never falls back
// to claims or to the anonymous principal.
//
// The package verifies no signature of a token (the host did), decides nothing
// about what a principal may do, reads no clock and keeps no state.
package identity
