// Package e2e is the parent of the end-to-end tests: see the folders.
package e2e

import (
	_ "github.com/openai/openai-go/v3"
	_ "github.com/posterngw/postern/tools/mock"
	_ "github.com/stretchr/testify/require"
)
