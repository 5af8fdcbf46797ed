// Package install takes the way of somebody who has Go and no checkout: it
// serves this repository's commit as a module's version, installs the command
// with `go install`, and asks the gateway that it runs.
package install
