package sdk

// place is a cell of the matrix by the names of its client's API, provider and
// column.
type place struct{ client, provider, column string }

// refusals are the cells that cannot be carried, with the reason. The client is
// told so by its own typed error, before the provider is asked.
var refusals = map[place]string{
	{"chat", "anthropic", "embed"}:      noVectors,
	{"responses", "anthropic", "embed"}: noVectors,
	{"gemini", "anthropic", "embed"}:    noVectors,
	{"cohere", "anthropic", "embed"}:    noVectors,

	{"chat", "ollama", "tools"}:      noForce,
	{"responses", "ollama", "tools"}: noForce,
	{"anthropic", "ollama", "tools"}: noForce,
	{"gemini", "ollama", "tools"}:    noForce,
	{"converse", "ollama", "tools"}:  noForce,
	{"cohere", "ollama", "tools"}:    noForce,

	{"chat", "bedrock", "embed"}:      oneText,
	{"responses", "bedrock", "embed"}: oneText,
	{"gemini", "bedrock", "embed"}:    oneText,
	{"cohere", "bedrock", "embed"}:    oneText,
}

const (
	noVectors = "the provider has no embeddings"
	noForce   = "Ollama's API has no way to ask for a call"
	oneText   = "Amazon's Titan embeds one text at a time"
)
