// Package budget says how much a principal may use, and keeps that promise
// while many VMs serve at once.
//
// # Reserve, settle
//
// Before an attempt a request reserves an upper bound of what it can use in
// every budget that it falls under: one request, the tokens that it can cost
// at most, or the money. It gets all of that or nothing. Afterwards the reservation is settled
// once with what was really used; the rest is free again.
//
// # Leases
//
// A VM does not ask the store for every request. It leases a chunk of what is
// left and spends it by itself; a lease has an id and an expiry, and the store
// counts it as used while it lives. Once per second (Tick) the VM reports what
// it spent, renews what is in use and returns what it does not need. The store
// behind it is one interface with one operation, Store.Exchange; Local keeps
// the counters in the host's shared data.
//
// What holds in every window of every budget and subject, in the store's own
// books: settled + live leases ≤ limit, plus only what was admitted without
// cover: by a soft budget, by on_store_failure: open, by a provider that
// reported more than the reservation's upper bound, or by a reservation whose
// lease ran out because the host did not call Tick.
//
// # Bounds
//
//   - Early refusals: others may hold up to (VMs − 1) × chunk unspent, for about
//     two ticks after they last served. When little is left nobody leases more
//     than an eighth of it beyond the need of the moment.
//   - A VM that traps loses its leases: until they expire (lease_ttl) that much
//     cannot be used by others, then all of it can. What the VM spent since its
//     last tick is then forgotten, at most the leases that it held, so that much
//     more than the limit can be used per trap. A token bucket is stricter: what
//     a trap takes along is not given again, it refills.
//   - A token bucket admits at most burst + rate × T requests in any time T.
//   - A reservation counts in the window in which it was made, whenever it is
//     settled.
//   - Shared data cannot be listed and never forgets a key, so the number of
//     keys is fixed: a quarter of max_subjects per budget, each with at most 16
//     subjects. A subject whose window is over gives its place to another.
//
// The package does not count tokens, knows no prices (of money the caller says how
// much, in micro-units), does no I/O of its own and
// starts no goroutine. A Budgets belongs to one VM and is not safe for
// concurrent use.
package budget
