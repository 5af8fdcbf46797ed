// Package pull tests that clients of registries that are not ours pull the
// module's image.
package pull
