package llm

// Facts is what deciding needs to know of a request. A dialect reads it in one
// pass over the body, without decoding the conversation.
type Facts struct {
	Operation  Operation
	Model      string // the name the application asked for, unescaped
	Stream     bool
	MaxTokens  int // output bound the client gave; 0 when it gave none
	Choices    int // answers asked for (n); at least 1
	Tools      int // tools offered
	Images     int // image parts
	Needs      Needs
	Form       uint8  // the client codec's own note, from its Call or of the body
	Rest       string // of a passed-on call: see dialect.Call
	TextBytes  int    // upper bound of the bytes that can become input tokens
	WantsUsage bool   // the client itself asked for usage in its stream
	Base64     bool   // of Embed: the client wants vectors as base64 of little-endian float32
	User       string
	Opening    uint64 // hash of what all turns of the conversation begin with: see dialect.Opening; 0: unknown
	// Received is when the request came, in Unix seconds: the creation time of
	// an answer whose provider does not say. The pipeline sets it.
	Received int64
}

// Needs are the abilities that a model must have to serve a request.
type Needs uint16

// The abilities.
const (
	NeedTools Needs = 1 << iota
	NeedImages
	NeedAudio
	NeedVideo
	NeedDocuments
	NeedSchema    // an answer that follows a JSON schema
	NeedReasoning // thinking was asked for
	NeedStream
	NeedState // it refers to what only the target that made it has
)

// Request is a decoded request. Only a request that changes dialect is decoded.
type Request struct {
	Facts
	Messages   []Message
	Tools      []Tool
	ToolChoice ToolChoice
	Sampling   Sampling
	Stop       []Escaped
	Format     *Format
	Reasoning  *Reasoning
	Metadata   Raw

	Logprobs    bool
	TopLogprobs Number // alternatives to tell per token
	LogitBias   Raw    // by token, as OpenAI has it
	ServiceTier Escaped
	Verbosity   Escaped

	Embed  *EmbedRequest  // with operation Embed
	Rerank *RerankRequest // with operation Rerank
	Extra  []Field
}

// EmbedRequest asks for vectors.
type EmbedRequest struct {
	Inputs     []Part // texts and images; a list of tokens is an OtherPart
	Dimensions Number
	Task       Escaped // what the vectors are for, in Cohere's words: "search_document", "search_query", "classification", "clustering"
	Title      Escaped // of the document, where there is one
	Truncate   Escaped // what becomes of an input that is too long, in Cohere's words: "NONE", "START", "END"
}

// RerankRequest asks for documents in the order of their relevance.
type RerankRequest struct {
	Query     Escaped
	Documents []Escaped
	Top       Number // how many to return
	Return    bool   // with the documents' texts
}

// Role says who speaks.
type Role uint8

// The roles. Developer is OpenAI's name for instructions that rank below the
// platform's; dialects without it treat it as System.
const (
	User Role = iota
	Assistant
	System
	Developer
	ToolRole
)

// Message is one turn.
type Message struct {
	Role  Role
	Name  Escaped
	Parts []Part
	Extra []Field
}

// PartKind tells the kinds of content apart.
type PartKind uint8

// The kinds of content. Which other fields of a Part are set follows from it.
const (
	TextPart       PartKind = iota // Text
	ImagePart                      // Media
	AudioPart                      // Media
	DocumentPart                   // Media
	ToolCallPart                   // Call
	ToolResultPart                 // Result
	ReasoningPart                  // Text, Signature; when Redacted only Signature, which is then the whole
	RefusalPart                    // Text
	OtherPart                      // Other: kept raw, known to its own dialect only
	VideoPart                      // Media
)

// Part is a piece of content.
type Part struct {
	Kind   PartKind
	Text   Escaped
	Media  Media
	Call   ToolCall
	Result ToolResult
	// Signature is an opaque proof by which its maker knows the part again: of
	// a reasoning part, and of any part where the maker is Gemini. Origin is the
	// dialect that made it; nobody else can read it. See dialect.Seal.
	Signature Escaped
	Origin    string
	Redacted  bool
	Citations []Citation // of a TextPart
	Cache     Raw        // the client's prompt-cache marker on this part
	Other     Raw
	Extra     []Field
}

// Citation says where a text is from.
type Citation struct {
	URL   Escaped
	Title Escaped
	Cited Escaped // the words of the source
	Start int     // where it stands in the part's text, in characters; 0, 0 when unknown
	End   int
	Other Raw // as its own dialect spells it
}

// Media is content by reference or by value: exactly one of URL, Data, File.
type Media struct {
	Type   Escaped // MIME type, when known
	URL    Escaped
	Data   Escaped // base64
	File   Escaped // a provider's file id
	Name   Escaped
	Detail Escaped // OpenAI's image detail
}

// ToolCall is a model's wish to call a tool.
type ToolCall struct {
	ID   Escaped
	Name Escaped
	// Arguments is the escaped form of the arguments' JSON text, as OpenAI
	// carries it; Input is the JSON value itself, as Anthropic does. A decoder
	// sets the one that it has.
	Arguments Escaped
	Input     Raw
}

// ToolResult answers a ToolCall.
type ToolResult struct {
	ID    Escaped
	Name  Escaped
	Parts []Part
	Error bool
}

// Tool is an offered function.
type Tool struct {
	Name        Escaped
	Description Escaped
	Schema      Raw // JSON Schema of the arguments; nil when absent
	Strict      bool
	Cache       Raw
	Other       Raw        // a tool that the provider runs itself, raw
	Server      ServerTool // what kind of such a tool, when the vocabulary knows
	Extra       []Field
}

// ServerTool is a tool that a provider runs itself.
type ServerTool uint8

// The kinds that several dialects know.
const (
	NoServerTool ServerTool = iota
	WebSearch
	CodeExecution
)

// ToolMode says whether tools may or must be called.
type ToolMode uint8

// The tool modes.
const (
	ToolsDefault ToolMode = iota
	ToolsAuto
	ToolsNone
	ToolsRequired
	ToolNamed
)

// ToolChoice constrains tool calls.
type ToolChoice struct {
	Mode     ToolMode
	Name     Escaped // with ToolNamed
	Parallel *bool   // nil: the provider's default
}

// Sampling parameters, as spelled; empty is absent.
type Sampling struct {
	Temperature      Number
	TopP             Number
	TopK             Number
	Seed             Number
	PresencePenalty  Number
	FrequencyPenalty Number
}

// Format asks for structured output.
type Format struct {
	Name        Escaped
	Description Escaped
	Schema      Raw // nil: any JSON object
	Strict      bool
}

// Reasoning asks for thinking, by effort or by a token budget.
type Reasoning struct {
	Effort Escaped
	Budget int
	Off    bool
}
