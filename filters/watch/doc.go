// Package watch observes what another gateway serves: it reads requests and answers
// as they pass, and tells of each what the modes that serve tell: a record, metrics,
// a line of the log where the host takes no record.
//
// It changes nothing. What it asks of a stream is the interface [Stream], which has
// no means to; its callbacks answer nothing but "go on", to the host's every
// question and whatever passes. What it cannot read (a coding, a size beyond the
// limits, a body that is no JSON) it leaves, and says so in the record. Bytes are
// kept up to the limits of the configuration, and events of streams one by one.
//
// Policies, budgets, credentials and translations are no part of it: it knows of
// the configuration who asks, where providers and their models are, and prices. It
// passes over the rest, which package pipeline checks where both are in one module.
package watch
