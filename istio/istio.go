// Package istio holds what a user deploys on Istio: a Helm chart, whose
// templates `postern render istio` executes as well, so that both ways give the
// same resources. README.md says how.
//
// There is no code here. The tests against Istio's own code are in e2e/istio.
package istio

import "embed"

// Chart is the Helm chart, below the folder chart.
//
//go:embed chart/Chart.yaml chart/values.yaml chart/values.schema.json chart/templates/*
var Chart embed.FS
