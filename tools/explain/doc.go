// Package explain tells what would become of a request: which targets its plan
// has, in which order and by which scores, which are left out and why, what the
// policies said, and what it is estimated to cost.
//
// It decides nothing itself. It runs the module's own code (native) on an
// emulated proxy, stops before anything is sent, and reads the audit record. So
// what it says is what production does, given the same health and the same
// chance; and a record of production reads the same way.
//
// Secrets are not looked up: every variable of the environment is taken as set.
package explain
