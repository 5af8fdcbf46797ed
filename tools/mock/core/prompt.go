package core

import "github.com/posterngw/postern/tools/mock/strict"

// Prompt is what the core needs to know of a request.
type Prompt struct {
	Model    Model
	System   string
	Text     string   // of the last user message
	Results  []string // of tools, when the conversation ends with them
	Messages int
	Images   int

	Tools    []Tool
	Choice   ToolChoice
	Parallel bool // more than one tool call is allowed
	Preface  bool // say something before a tool call

	JSON   bool          // the answer must be a JSON object
	Schema *strict.Value // and match this schema

	MaxTokens int // 0: no bound; -1: not a single token
	Stop      []string
	N         int    // answers wanted; 0 is 1
	Vary      string // what makes the answer differ: a seed, a temperature

	Reasoning int  // tokens to spend on reasoning
	Thinking  bool // reasoning is part of the answer, as text

	Input Usage // Input and its parts
}

// Tool is a tool that the answer may call.
type Tool struct {
	Name   string
	Schema *strict.Value // of the arguments; nil: none
	Custom bool          // the argument is free text
}

// ToolChoice says whether a tool is called.
type ToolChoice struct {
	Mode ToolMode
	Name string // Named
}

// ToolMode is the mode of a ToolChoice.
type ToolMode uint8

// The modes; the zero value leaves it to the model.
const (
	ToolsAuto ToolMode = iota
	ToolsNone
	ToolsRequired
	ToolsNamed
)

// Answer is what the mock says.
type Answer struct {
	Choices []Choice
	Usage   Usage
}

// Choice is one of the answers to a prompt.
type Choice struct {
	Thinking []string // pieces of visible reasoning
	Text     []string // pieces of text
	Calls    []Call
	Finish   Finish
	StopText string // the stop sequence that ended the text
	Tokens   int    // output tokens, reasoning left out
}

// Call is one tool call.
type Call struct {
	Name   string
	Args   string // a JSON object, or free text for a custom tool
	Custom bool
}

// Finish says why an answer ended.
type Finish uint8

// The reasons.
const (
	FinishStop Finish = iota
	FinishLength
	FinishSequence
	FinishCalls
	FinishFiltered
	FinishRefused
)
