package embeddings_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/openai/embeddings"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

var codec = embeddings.API()

func decode(t testing.TB, body string) (*llm.Request, *llm.Error) {
	doc, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, err := codec.Client.Facts(dialect.Call{Operation: llm.Embed}, &doc)
	if err != nil {
		return nil, err
	}
	return codec.Client.Decode(f, &doc)
}

// Canonical requests become requests that say the same, or are refused by name.
func TestRequests(t *testing.T) {
	for _, s := range dialecttest.Requests(llm.Embed) {
		t.Run(s.Name, func(t *testing.T) {
			r := s.Value
			var l dialect.Ledger
			out, err := codec.Provider.Encode(nil, &r, &dialect.Target{Model: "m"}, &l)
			if s.Name == "image" {
				require.NotNil(t, err)
				require.Equal(t, "input", err.Param)
				return
			}
			require.Nil(t, err)
			require.True(t, json.Valid(out), string(out))
			if s.Name == "task" {
				require.Equal(t, "dropped task", string(l.Append(nil)))
				r.Embed.Task = nil
			}
			again, err := decode(t, string(out))
			require.Nil(t, err)
			require.Equal(t, dialecttest.Describe(&r), dialecttest.Describe(again))
		})
	}
}

func TestAnswers(t *testing.T) {
	for _, s := range dialecttest.Answers(llm.Embed) {
		f := llm.Facts{Base64: s.Value.Vectors[0].Base64 != nil}
		out := codec.Client.AppendAnswer(nil, &f, "m", &s.Value, nil)
		again, err := codec.Provider.Decode(&f, nil, out)
		require.Nil(t, err)
		s.Value.ID = nil
		require.Equal(t, dialecttest.DescribeAnswer(&s.Value), dialecttest.DescribeAnswer(again), s.Name)
	}
}

func TestInputs(t *testing.T) {
	for body, want := range map[string]int{`"x"`: 1, `["a","b"]`: 2, `[1,2,3]`: 1, `[[1],[2,3]]`: 2, `[]`: 0} {
		r, err := decode(t, `{"model":"m","input":`+body+`,"dimensions":8,"user":"u","x":1}`)
		require.Nil(t, err)
		require.Len(t, r.Embed.Inputs, want)
		require.Equal(t, "x", r.Extra[0].Name)
		out, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "t"}, nil)
		require.Nil(t, err)
		if body[0] == '[' && want != 1 {
			require.Contains(t, string(out), `"input":`+body)
		}
	}
	for body, want := range map[string]string{
		`{"model":"m"}`:            "missing_required_parameter input",
		`{"input":"x"}`:            "missing_required_parameter model",
		`{"model":"m","input":{}}`: "invalid_type input",
		`{"model":"m","input":"x","encoding_format":"hex"}`: "invalid_value encoding_format",
		`{"model":"m","input":"x","dimensions":"8"}`:        "invalid_type dimensions",
	} {
		_, err := decode(t, body)
		require.NotNil(t, err, body)
		require.Equal(t, want, err.Code+" "+err.Param)
	}
}

// Recorded answers are told in both forms, as the standard library reads them.
func TestRecordings(t *testing.T) {
	for _, r := range dialecttest.Recordings(t, "openai-embeddings.jsonl") {
		if r.Status != 200 {
			require.NotZero(t, codec.Provider.Classify(r.Status, r.Header, []byte(r.Response)).Class)
			continue
		}
		asked, err := decode(t, r.Request)
		require.Nil(t, err)
		a, err := codec.Provider.Decode(&asked.Facts, nil, []byte(r.Response))
		require.Nil(t, err)
		var want struct {
			Data  []struct{ Embedding json.RawMessage }
			Usage struct {
				Prompt int64 `json:"prompt_tokens"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(r.Response), &want))
		require.Equal(t, want.Usage.Prompt, a.Usage.InputTotal())
		require.Len(t, a.Vectors, len(want.Data))
		var edits jsonx.Edits
		usage, _, err := codec.Same.Answer(&edits, &asked.Facts, []byte(r.Response), &dialect.Patch{})
		require.Nil(t, err)
		require.True(t, edits.Empty())
		require.Equal(t, a.Usage, usage)
		if a.Vectors[0].Values == nil {
			continue
		}
		var got struct{ Data []struct{ Embedding string } }
		out := codec.Client.AppendAnswer(nil, &llm.Facts{Base64: true}, "m", a, nil)
		require.NoError(t, json.Unmarshal(out, &got))
		var floats []float64
		require.NoError(t, json.Unmarshal(want.Data[0].Embedding, &floats))
		raw, bad := base64.StdEncoding.DecodeString(got.Data[0].Embedding)
		require.NoError(t, bad)
		for i, f := range floats {
			require.Equal(t, float32(f), math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
		}
	}
}

// Bytes are kept but for the model's name, on both ways.
func TestSame(t *testing.T) {
	body := []byte(`{"input": [1, 2], "model": "fast"}`)
	doc, _ := jsonx.Scan(body, codec.Client.Inspected(), jsonx.Limits{})
	var e jsonx.Edits
	codec.Same.Request(&e, &llm.Facts{}, &doc, &dialect.Patch{Target: &dialect.Target{Model: "ada"}})
	require.Equal(t, `{"input": [1, 2], "model": "ada"}`, string(e.Apply(nil, body)))
	e.Reset()
	answer := []byte(`{"object":"list","data":[],"model":"ada","usage":{"prompt_tokens":3,"total_tokens":3}}`)
	usage, _, err := codec.Same.Answer(&e, &llm.Facts{}, answer, &dialect.Patch{Model: "fast"})
	require.Nil(t, err)
	require.EqualValues(t, 3, usage.Total())
	require.Contains(t, string(e.Apply(nil, answer)), `"model":"fast"`)
}

func FuzzEmbeddings(f *testing.F) {
	f.Add(`{"model":"m","input":["a",[1,2]],"encoding_format":"base64"}`)
	f.Add(`{"data":[{"index":0,"embedding":[1,2]},{"embedding":"AAAA"}],"usage":{"prompt_tokens":1}}`)
	f.Fuzz(func(t *testing.T, body string) {
		if a, err := codec.Provider.Decode(&llm.Facts{}, nil, []byte(body)); err == nil {
			for _, wants := range []bool{true, false} {
				require.True(t, json.Valid(codec.Client.AppendAnswer(nil, &llm.Facts{Base64: wants}, "m", a, nil)))
			}
		} else {
			require.GreaterOrEqual(t, err.Status, 400)
		}
		doc, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
		if bad != nil {
			return
		}
		facts, err := codec.Client.Facts(dialect.Call{Operation: llm.Embed}, &doc)
		if err != nil {
			return
		}
		r, err := codec.Client.Decode(facts, &doc)
		if err != nil {
			return
		}
		if out, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "t"}, nil); err == nil {
			require.True(t, json.Valid(out), string(out))
		}
	})
}
