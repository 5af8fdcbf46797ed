// Package policy decides by Cedar policies whether a principal may have its
// request served by a target. Deciding is pure: the same request gets the same
// decision for as long as the configuration lives.
//
// Without policies everything is allowed; once there is one, whatever no policy
// permits is denied. A policy that forbids beats every policy that permits. A
// forbid that cannot be evaluated (an attribute that is absent, a wrong type)
// forbids, and a permit that cannot be evaluated permits nothing: errors fail
// closed. The kill switch comes before all policies.
//
// # What policies see
//
// The action is Action::"embed" where vectors are asked for, and else
// Action::"invoke". The principal is the first that there is of
//
//	Key::"id"            who presents an API key
//	User::"name"         who is known by verified claims
//	Application::"name"  an application known by verified claims
//	Anonymous::"anonymous"
//
// and lies in its User, Application, Team, Organisation and Environment. The
// names of teams are not qualified: say `principal in Organisation::"acme"` too
// where two organisations have a team of one name. Its attributes are
// organisation, team, application, user, environment and key, each absent
// unless the principal has it: ask `principal has team` first.
//
// The resource is Target::"name". It lies in Model::"alias" (what the client
// asked for), Provider::"name", Boundary::"internal" or Boundary::"external",
// and Region::"name"; a provider lies in its boundary. Its attributes are name,
// model, provider, boundary, and region if the provider has one.
//
// The context has stream (a boolean), estimated_tokens (a whole number) and,
// where the gateway has a name for it, environment (a text).
//
// A policy that names any other attribute, type of entity or action is refused
// with the configuration: it would do nothing, silently.
//
// # Cost
//
// Evaluating costs microseconds for every policy, so decisions are kept in a
// bounded table by everything that they can depend on. Estimated tokens are
// part of that only if a policy reads them, and where policies only compare
// them with constants, only the interval between constants is.
//
// The package chooses no target, counts no tokens, writes no answer, and does
// not know which targets exist.
package policy
