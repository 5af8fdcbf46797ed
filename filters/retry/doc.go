// Package retry keeps retries from making an outage worse: it says how many
// there may be, and sees those that agents make by themselves.
//
// # The budget
//
// Each model has a budget of retries: within a sliding window no more than a
// floor (min_per_second times the window) plus a share of the requests of that
// window. What is not used does not add up beyond the window. Allow takes one
// retry; Spend notes one that the host made unasked, which later ones then
// lack; Left says how many a request may be given beforehand.
//
// The bounds hold for each VM: a host with N workers makes at most N times the
// floor, plus the share of all its requests. The window slides in steps of an
// eighth: in any seven eighths of a window there are no more retries allowed
// than the floor and the share of the requests of one window.
//
// # Repeats
//
// An agent that sends the same body again within the same conversation within a
// window is retrying, whatever it calls it. Repeats counts how often, in a table
// of fixed memory: a request that is pushed out of it by others counts as new,
// so a repeat may be missed but none is invented, up to a collision of 128 bits
// of hash. Requests/Distinct is the amplification by agents, and Attempts/Distinct
// that by agents and gateway together. Each VM counts what it sees: repeats that
// the host gives to different workers are not recognised.
//
// The package retries nothing by itself, keeps no bodies, reads no clock and
// starts no goroutine. What it makes belongs to one VM and is not safe for
// concurrent use.
package retry
