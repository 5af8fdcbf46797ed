package pipeline

// Shown is the stream that callout mode works with, for tests on an emulated host.
func Shown(s Stream) Stream { return &shownStream{Stream: s} }
