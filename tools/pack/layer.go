package pack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"time"
)

// plugin is the file that hosts look for in the layer, whatever its folder.
const plugin = "plugin.wasm"

// maxPlain bounds a layer that is unpacked: some ten modules.
const maxPlain = 64 << 20

// ErrLayer says that a layer does not hold one module and nothing else.
var ErrLayer = errors.New("the layer is not one " + plugin)

// layer is the archive that holds the module, packed and plain. Time, owner,
// mode and the packed form's header are the same each time.
func layer(wasm []byte, at time.Time) (packed, plain []byte, err error) {
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	var archive, out bytes.Buffer
	t := tar.NewWriter(&archive)
	h := tar.Header{Typeflag: tar.TypeReg, Name: plugin, Mode: 0o644, Size: int64(len(wasm)), ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatUSTAR}
	if err = t.WriteHeader(&h); err == nil {
		if _, err = t.Write(wasm); err == nil {
			err = t.Close()
		}
	}
	if err != nil {
		return nil, nil, err
	}
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, nil, err
	}
	if _, err = z.Write(archive.Bytes()); err == nil {
		err = z.Close()
	}
	return out.Bytes(), archive.Bytes(), err
}

// unpack returns the module in a layer, and the layer's archive.
func unpack(packed []byte) (wasm, plain []byte, err error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrLayer, err)
	}
	plain, err = io.ReadAll(io.LimitReader(z, maxPlain+1))
	if err == nil && len(plain) > maxPlain {
		err = fmt.Errorf("more than %d bytes", maxPlain)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrLayer, err)
	}
	if wasm, err = only(plain); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrLayer, err)
	}
	return wasm, plain, nil
}

// only returns the module if it is all that the archive holds.
func only(archive []byte) ([]byte, error) {
	t := tar.NewReader(bytes.NewReader(archive))
	h, err := t.Next()
	if err != nil {
		return nil, err
	}
	if h.Name != plugin || h.Typeflag != tar.TypeReg {
		return nil, fmt.Errorf("there is %q", h.Name)
	}
	wasm, err := io.ReadAll(t)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(wasm, []byte("\x00asm\x01\x00\x00\x00")) {
		return nil, errors.New("it is no WebAssembly module")
	}
	if h, err = t.Next(); err == nil {
		return nil, fmt.Errorf("there is %q besides", h.Name)
	} else if err != io.EOF {
		return nil, err
	}
	return wasm, nil
}
