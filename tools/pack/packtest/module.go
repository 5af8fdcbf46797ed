package packtest

import "encoding/binary"

// Module is the smallest module that says what it was built from.
func Module(version string) []byte {
	text := "\x0cgo:buildinfogo\tgo1.26.0\n" +
		"path\tgithub.com/posterngw/postern/filters/postern\nmod\tgithub.com/posterngw/postern\t" + version + "\n" +
		"dep\texample.test/dependency\tv1.2.3\th1:x=\n" +
		"build\tvcs.revision=0123456789abcdef\nbuild\tvcs.modified=false\n"
	b := append([]byte("\x00asm\x01\x00\x00\x00"), 0)
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}
