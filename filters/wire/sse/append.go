package sse

import "bytes"

// Append appends one event to dst: an event line unless name is empty, one data line for each line of data, and a blank line. Empty
// data gives one empty data line. Line ends in data may be LF, CRLF or CR, and all of them reach the reader as LF (the format
// cannot carry a CR). Of name only the first line is used.
func Append(dst []byte, name string, data []byte) []byte {
	if name != "" {
		dst = append(dst, "event: "...)
		dst = append(dst, name[:lineBreak([]byte(name))]...)
		dst = append(dst, '\n')
	}
	if bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0 {
		return appendLine(dst, data, "\n\n")
	}
	for {
		n := lineBreak(data)
		term := terminator(data, n)
		dst = appendLine(dst, data[:n], "\n")
		if term == 0 {
			return append(dst, '\n')
		}
		data = data[n+term:]
	}
}

func appendLine(dst, line []byte, end string) []byte {
	dst = append(dst, "data: "...)
	dst = append(dst, line...)
	return append(dst, end...)
}
