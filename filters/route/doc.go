// Package route chooses where a request goes: from the model that an
// application named to a plan, an ordered list of targets with, for every
// configured target that is not in it, the reason.
//
// Choosing is a pure function of its inputs: the request's facts, the
// configuration, a seed, and what the other parts said of each target
// (Sources). It goes in three steps. Filter: a target is left out that the
// policies refuse, that lacks an ability or the room that the request needs,
// or that is for other tasks. Score: every strategy of the
// model gives each target that is left a number. Order: those that are shut out
// last; by priority, then by the first strategy's number, then by the next one's.
//
// What happens after an attempt failed is data, too: a table from error class
// to what comes next, with overrides per model.
//
// The package sends nothing, keeps no health, and holds no policy of its own.
package route
