package sdk

// place is a cell of the matrix by the names of its client's API, provider and
// column.
type place struct{ client, provider, column string }

// refusals are the cells that cannot be carried, with the reason. The client is
// told so by its own typed error, before the provider is asked.
var refusals = refused()

// The clients by the names of their APIs: all of them, and those that ask for vectors.
var (
	everyone  = []string{"chat", "responses", "anthropic", "gemini", "converse", "invoke", "cohere"}
	embedding = []string{"chat", "responses", "gemini", "cohere"}
)

func refused() map[place]string {
	out := map[place]string{}
	for _, r := range []struct {
		clients          []string
		provider, column string
		why              string
	}{
		{embedding, "anthropic", "embed", noVectors},
		{everyone, "ollama", "tools", noForce},
		{embedding, "bedrock", "embed", oneText},
		{everyone, "nova", "schema", noSchema},
		{everyone, "llama", "tools", onlyText}, {everyone, "titan", "tools", onlyText},
		{everyone, "llama", "image", onlyText}, {everyone, "titan", "image", onlyText},
		{everyone, "llama", "schema", noSchema}, {everyone, "titan", "schema", noSchema},
		{embedding, "llama", "embed", oneText}, {embedding, "titan", "embed", oneText},
	} {
		for _, c := range r.clients {
			out[place{c, r.provider, r.column}] = r.why
		}
	}
	return out
}

const (
	noVectors = "the provider has no embeddings"
	noForce   = "Ollama's API has no way to ask for a call"
	oneText   = "Amazon's Titan embeds one text at a time"
	onlyText  = "the model continues a text: its body has neither tools nor images"
	noSchema  = "the model's body has no schema for the answer"
)
