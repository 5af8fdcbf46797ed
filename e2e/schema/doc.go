// Package schema holds the tables of fields that docs/dialects.md is made from
// against the request types that the official clients publish: a field that a
// client can send, and that no table tries, could be lost silently.
//
// It goes three names deep, into what is typed: free-form members such as metadata
// and the schemas of tools end a path. It is a package of tests only, and needs no
// network.
package schema
