// Package price says what usage costs, in whole micro-units (millionths) of
// the currency, from a table in the configuration.
//
// Prices are kept as micro-units per million tokens, so a token that costs less
// than a micro-unit still counts. All buckets of one record are summed exactly,
// then rounded once, half up. No floating-point number takes part.
//
// The package knows no provider's price list, converts no currency, and neither
// counts tokens nor keeps a balance.
package price
