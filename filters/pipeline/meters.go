package pipeline

import "github.com/posterngw/postern/filters/telemetry"

// meters are the host's metrics as telemetry sees them.
type meters struct{ VM }

func (m meters) Metric(k telemetry.Kind, name string) (uint32, bool) {
	return m.VM.Metric(MetricKind(k), name)
}
