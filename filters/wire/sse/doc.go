// Package sse reads and writes server-sent event streams (WHATWG HTML, section 9.2) as they pass through a proxy: chunk by
// chunk, with the bytes of every event at hand so that a stream can be passed on exactly as it came.
//
// It cuts a stream into blocks and names their fields. It does not interpret data (no JSON, no "[DONE]"), does not decode or
// repair UTF-8, does not keep the last event id or the reconnection time of a connection, and does no I/O.
//
// With [Limits].Lines it cuts newline-delimited JSON in the same way: a line is a block.
//
// # Bytes are conserved
//
// Every byte that is fed belongs to exactly one block: the Raw of all events in order, and then the carried rest, are the stream,
// except for blocks over the limit, whose bytes are counted by [Framer.Skipped]. A blank line that ends nothing (an extra one, or one at
// the start) is a block of its own, without a field and with Comment set, so that keep-alives made of blank lines are not held back.
//
// # Line ends
//
// LF, CRLF and CR end a line, mixed at will. A block is complete when the end of its blank line is seen, and a CR is an end: the
// event is not held until the next byte shows whether an LF follows. If that LF is in the same chunk it is part of the block. If
// it comes at the start of a later chunk it is a block of its own ("\n", Comment set), which changes nothing for a reader of
// the stream wherever the blocks around it are passed on, dropped or replaced.
package sse
