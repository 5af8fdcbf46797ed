// Package oracle holds parts of the module against official libraries that do
// the same: what both compute from random input must be equal.
//
// It needs no proxy and no network, and is a package of tests only. It stands in
// the nested module since those libraries are no dependencies of Postern.
package oracle
