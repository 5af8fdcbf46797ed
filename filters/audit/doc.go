// Package audit is the account of a request: one typed Record, filled while the
// request lives, and its encoding as one line of JSON.
//
// A record says who asked for what, what was decided and why, where it went,
// how it ended, and what it cost. It holds no header, no credential and nothing
// of what was asked or answered; content leaves at most a digest. Every text in
// it is bounded, escaped and valid UTF-8, and a record is never longer than
// MaxRecord: what does not fit is left out, and the record says so.
//
// Metrics are a projection of the record (package telemetry). The package does
// not send records anywhere, does not sign or chain them, and does not read
// them back.
package audit
