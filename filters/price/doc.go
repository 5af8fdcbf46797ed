// Package price says what usage costs, in whole micro-units (millionths) of
// the currency, from tables in the configuration.
//
// A price has a rate for each bucket of usage, per request and per image, and
// tiers: other rates for prompts above a length and for the service tier that
// the answer names. All tokens of a request are paid by one set of rates.
//
// Rates are kept as micro-units per million tokens, so a token that costs less
// than a micro-unit still counts. All buckets of one record are summed exactly,
// then rounded once, half up. No floating-point number takes part. Buckets are
// disjoint (llm.Usage), so a cached token is paid as cached and not as input.
//
// The package knows no provider's price list, converts no currency, and neither
// counts tokens nor keeps a balance.
package price
