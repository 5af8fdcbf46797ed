// Package dialecttest is the conformance kit for dialects: canonical requests,
// answers and streams that every codec must carry there and back, cuts that must
// not matter, the fields of requests, and the reader for recorded traffic. The
// grammars of streams are in package grammar.
//
// It reads JSON with encoding/json on purpose: what checks a codec does not share
// its parser. It is for tests and tools, is no part of the module, and knows
// nothing of the pipeline.
package dialecttest
