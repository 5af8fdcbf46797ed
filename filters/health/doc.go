// Package health knows how the targets are: it shuts out those that fail, lets
// them come back with care, and says what choosing among them needs to know.
//
// # The circuit of a target
//
// Closed: it gets its traffic. Failures in a row, a share of failures within a
// sliding window, or answers slower than allowed (which count as failures) shut
// it out. An error that says how long to wait shuts it out for exactly that, and
// counts as nothing else; quota_exhausted without a time has one configured.
//
// Open: it gets nothing until a time. The time doubles with each failure to come
// back. Two may come before: a request whose other targets have failed, and, where a
// request has no other, one each EarlyEvery. What goes well closes the circuit,
// what fails changes nothing. A target that asked to wait gets neither, and one
// that failed by silence not the first.
//
// HalfOpen: a bounded number of real requests try it first. The first content
// closes the circuit, a failure opens it again. A try without content is given up
// after probe_timeout, so that a VM that dies takes no probe along for good. All
// other requests have it as a spare, behind their other targets: they come to it
// only when those have failed, which is better than none, and what they find
// speaks as a probe's.
//
// Ramp: its share of the traffic grows from ramp_from to all. Then it is Closed.
//
// What counts as a failure is a set of error classes in the configuration. Errors
// of the request (client, policy, context_length, content_filter) show that the
// target works.
//
// # Shared among VMs
//
// A target's record is one value of the host's shared data, changed by
// compare-and-swap. Each VM works on a view of it and tells at once what others
// must know: failures, probes, times to wait. What goes well is told by Tick.
// A request whose targets are closed costs at most one host call, and that only
// every LookEvery; a target's first use, and each that follows on some target's
// being shut out, one more. On a host without shared data each VM keeps its own records,
// which is the same machine.
//
// # Bounds
//
//   - A VM refuses a target that another VM shut out at the latest LookEvery
//     after that one wrote it. What it admitted before then runs on.
//   - No more than `probes` requests of a host probe a target at a time, also
//     when races are lost: a VM that cannot take its probe in 16 tries does not
//     get one. Probes that outlived probe_timeout, or whose period another
//     probe has ended, may still run beside them, and so may requests whose
//     other targets have failed. Without shared data the number holds per VM.
//   - Failures are counted at once, unless 16 races are lost in a row: then
//     with the VM's next choice, 100 ms later. Successes of other VMs are seen up
//     to about FlushEvery late: so long a run of failures, or a share of them, can
//     look worse than it was by the successes that are not yet told. A success
//     that is told late may also end a run that began after it.
//   - What an attempt shows that began before the circuit last changed does not
//     count, except a time to wait.
//   - A clock that is set back prolongs no state: what was left of it at that
//     time is left. Nothing shuts a target out for more than 24 hours at once.
//   - A target takes fixed memory, in a VM (from its first use) and in shared
//     data (one key by its name, for good). A value that cannot be read is taken
//     as absent.
//   - Replicas of a host do not share.
//
// The package chooses nothing, sends no requests of its own to look how targets
// are, reads no clock and starts no goroutine. A Health belongs to one VM and is
// not safe for concurrent use. Outstanding counts this VM's attempts only: a count
// that all VMs share would stay too high for good after one of them died.
package health
