// Command document writes host-test/FIDELITY.md from the committed recording and from hosttest. It
// needs no Envoy. Run it by go generate in package fidelity; it does nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/posterngw/postern/host-test/fidelity"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "document:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	recording, err := fidelity.LoadRecording(fidelity.RecordingFile)
	if err != nil {
		return err
	}
	probe, done, err := fidelity.OpenProbe(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	results, err := fidelity.CompareAll(recording, probe.Module)
	if err != nil {
		return err
	}
	return os.WriteFile(fidelity.DocumentFile, fidelity.Document(recording.Proxy, results), 0o644)
}
