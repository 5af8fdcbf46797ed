package anthropic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
)

// FuzzAnswer: whatever a provider sends, as an answer, an error or a stream, it
// ends in one typed way, however it is cut, and a client of another dialect gets
// JSON.
func FuzzAnswer(f *testing.F) {
	for _, s := range dialecttest.Archive(f, "testdata/streams.txtar") {
		f.Add(s, uint64(1))
	}
	f.Add([]byte(`{"id":"m","content":[{"type":"text","text":"x"},{"type":"tool_use","id":"t","name":"f","input":{"a":1}},{"type":"thinking","thinking":"x","signature":"y"},{"type":"redacted_thinking","data":"z"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}`), uint64(1))
	f.Add([]byte(`{"type":"error","error":{"type":"overloaded_error","message":"m"}}`), uint64(1))
	s := suite(f)
	client := openai.New().Client
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		s.Junk(t, data)
		if a, err := codec.Provider.Decode(nil, data); err == nil {
			require.True(t, json.Valid(client.AppendAnswer(nil, &llm.Facts{}, "m", a)))
		}
		script := dialecttest.Script(dialecttest.Decode(codec.Provider.NewDecoder(nil, limits), data))
		dialecttest.Partitions(data, seed, 2, func(chunks ...[]byte) {
			events := dialecttest.Decode(codec.Provider.NewDecoder(nil, limits), chunks...)
			require.Equal(t, script, dialecttest.Script(events))
			for _, l := range splitData(dialecttest.Encode(client.NewEncoder(&llm.Facts{}, "m"), events)) {
				require.True(t, l == "[DONE]" || json.Valid([]byte(l)), l)
			}
		})
	})
}

// splitData returns the data lines of an emitted stream.
func splitData(stream []byte) []string {
	var list []string
	for _, l := range strings.Split(string(stream), "\n") {
		if data, ok := strings.CutPrefix(l, "data: "); ok {
			list = append(list, data)
		}
	}
	return list
}
