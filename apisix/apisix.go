// Package apisix holds what a user deploys on Apache APISIX: a postern.yaml to
// begin with and the files rendered from it. README.md says how.
//
// There is no code here. What the module does on that host is tested on an
// emulation of it, by filters/postern and filters/pipeline.
package apisix

//go:generate go run ../tools/postern render apisix -o . postern.yaml
