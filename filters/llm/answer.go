package llm

// Finish is why a model stopped.
type Finish uint8

// The finish reasons.
const (
	NotFinished Finish = iota
	FinishStop
	FinishLength
	FinishTool
	FinishFilter
	FinishRefusal
	FinishPause // the provider wants the turn continued (Anthropic pause_turn)
	FinishOther
)

var finishNames = [...]string{"", "stop", "length", "tool_calls", "content_filter", "refusal", "pause", "other"}

// String is the reason's stable name, as in audit records; empty for NotFinished.
func (f Finish) String() string {
	if int(f) < len(finishNames) {
		return finishNames[f]
	}
	return ""
}

// Answer is a whole answer.
type Answer struct {
	ID      Escaped
	Model   Escaped // as the provider names it
	Created int64   // Unix seconds; 0 when the provider does not say
	Choices []Choice
	Usage   Usage
	Vectors []Vector // of operation Embed
	Ranks   []Rank   // of operation Rerank
	Size    int64    // of operation CountTokens: the tokens of the conversation
	Extra   []Field
}

// Vector is the embedding of one input: a JSON array of numbers, or base64 of
// little-endian float32.
type Vector struct {
	Index  int
	Values Raw
	Base64 Escaped
}

// Rank is one document's place.
type Rank struct {
	Index int
	Score Number
	Text  Escaped // when asked for
}

// Choice is one of the answers asked for.
type Choice struct {
	Parts        []Part
	Finish       Finish
	StopSequence Escaped
	Logprobs     Raw // as OpenAI has them
	Extra        []Field
}

// EventKind tells stream events apart.
type EventKind uint8

// The kinds of a stream's events, in the order of a well-formed stream: Start;
// then per block BlockStart, deltas, BlockStop; then Finish per choice, Usage,
// End. Ping may come anywhere; Failure ends a stream.
const (
	Ping EventKind = iota
	Start
	BlockStart
	Delta
	BlockStop
	FinishEvent
	UsageEvent
	End
	Failure
)

// Event is one step of a streamed answer. Its byte fields are views that are
// valid during the call that hands it over.
//
// The deltas of a tool call are together the JSON text of its arguments: for a
// call without any, a decoder emits one Delta of "{}". A provider that mixes
// the pieces of parallel calls makes a Delta name a block that was stopped.
// A UsageEvent is a running total: a later one replaces it.
type Event struct {
	Kind     EventKind
	Choice   int      // index of the choice
	Block    int      // dense index of the block within its choice
	Part     PartKind // of BlockStart, Delta, BlockStop: TextPart, ReasoningPart, RefusalPart, ToolCallPart
	ID       Escaped  // of Start: the answer's id; of a tool call's BlockStart: the call's id
	Name     Escaped  // of Start: the model; of a tool call's BlockStart: the tool
	Text     Escaped  // of Delta: text, or a piece of the arguments' JSON text
	Sign     Escaped  // of a Delta: the block's signature, or the whole of a redacted block; of a tool call's BlockStart: the same as will come, if it is known
	Redacted bool     // of a reasoning block: only the provider can read it
	Origin   string   // of Sign: the dialect that made it
	Cite     *Citation
	Finish   Finish
	Stop     Escaped // the stop sequence that matched
	Created  int64
	Usage    *Usage
	Err      *Error
}

// Commits reports whether a client that has seen e can no longer be given
// another target's answer: content, a tool call, or the end of the stream.
func (e *Event) Commits() bool {
	switch e.Kind {
	case Delta:
		return len(e.Text) > 0 || len(e.Sign) > 0 || e.Cite != nil
	case BlockStart:
		return e.Part == ToolCallPart
	case FinishEvent, End:
		return true
	}
	return false
}

// Usage counts tokens in disjoint buckets: no token is in two of them.
type Usage struct {
	Input          int64 // read afresh
	CacheRead      int64 // read from the prompt cache
	CacheWrite     int64 // written to the prompt cache
	CacheWriteHour int64 // written to it to stay for an hour, where a provider tells those apart
	InputAudio     int64
	Output         int64 // visible
	Reasoning      int64
	OutputAudio    int64
	Tier           Tier // that served
	Known          bool // reported by the provider
	Estimated      bool // counted by Postern, because the provider did not say
	Partial        bool // the stream ended early: what was seen, no more
}

// InputTotal is every token read, cached ones included, as in
// gen_ai.usage.input_tokens.
func (u *Usage) InputTotal() int64 { return u.Input + u.CacheRead + u.Written() + u.InputAudio }

// Written is every token written to the prompt cache.
func (u *Usage) Written() int64 { return u.CacheWrite + u.CacheWriteHour }

// OutputTotal is every token written, reasoning included.
func (u *Usage) OutputTotal() int64 { return u.Output + u.Reasoning + u.OutputAudio }

// Total is InputTotal and OutputTotal together.
func (u *Usage) Total() int64 { return u.InputTotal() + u.OutputTotal() }
