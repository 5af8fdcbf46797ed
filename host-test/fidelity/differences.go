package fidelity

// Differences are the rows in which hosttest answers otherwise than the recorded Envoy, with exactly
// those lines. A row that is not here must give the same.
var Differences = map[string]Difference{}
