package gemini

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/date"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members of an answer, of a chunk and of an error body.
const (
	aCandidates = iota
	aFeedback
	aUsage
	aVersion
	aID
	aCreated
	aError
)

var answerKeys = jsonx.NewKeys("candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId", "createTime", "error")

// Decode reads a whole answer.
func (*provider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body); err != nil {
		return nil, err
	}
	a := &llm.Answer{ID: interior(&doc, aID), Model: interior(&doc, aVersion), Created: createdAt(&doc)}
	var c counts
	c.read(doc.Raw(aUsage))
	a.Usage = c.usage()
	for it := jsonx.Elements(doc.Raw(aCandidates)); it.Next(); {
		a.Choices = append(a.Choices, readCandidate(it.Value()))
	}
	if len(a.Choices) == 0 { // the prompt was blocked: scanAnswer has seen why
		a.Choices = []llm.Choice{{Finish: llm.FinishFilter}}
	}
	for it := jsonx.Members(body); it.Next(); {
		if answerKeys.Find(it.Key()) < 0 {
			a.Extra = dialect.Keep(a.Extra, &it)
		}
	}
	return a, nil
}

func interior(doc *jsonx.Document, k int) llm.Escaped {
	return llm.Escaped(jsonx.Interior(doc.Raw(k)))
}

// createdAt is createTime in Unix seconds, 0 when it is absent.
func createdAt(doc *jsonx.Document) int64 {
	text := interior(doc, aCreated)
	if len(text) == 0 {
		return 0
	}
	t, err := date.RFC3339(dialect.Plain(text, 64))
	if err != nil {
		return 0
	}
	return max(t.Unix(), 0)
}

// scanAnswer validates an answer that came with a status of success, and finds
// the error that it may be nevertheless.
func scanAnswer(doc *jsonx.Document, body []byte) *llm.Error {
	if err := doc.Scan(body, answerKeys, jsonx.Limits{}); err != nil {
		if e := wrapped(body, 200); e != nil {
			return e
		}
		return dialect.Malformed(err.Error())
	}
	if err := bodyError(doc); err != nil {
		return err
	}
	first, _ := jsonx.Lookup(doc.Raw(aCandidates), "0")
	if first == nil && blocked(doc) == nil {
		return dialect.Malformed("no candidates")
	}
	return nil
}

// blocked is why the prompt was refused; nil when it was not.
func blocked(doc *jsonx.Document) []byte { return get(doc.Raw(aFeedback), "blockReason") }

// candidate is a candidate with its members apart.
type candidate struct {
	index            int
	content, finish  []byte
	grounding, cited []byte
	logprobs         []byte
	extra            []llm.Field
}

// read takes a candidate apart; what has no place is kept if keep says so.
func (c *candidate) read(raw []byte, keep bool) {
	for it := jsonx.Members(raw); it.Next(); {
		switch field(&it) {
		case "index":
			c.index = count(it.Value())
		case "content":
			c.content = it.Value()
		case "finishReason":
			c.finish = dialect.Value(&it)
		case "groundingMetadata":
			c.grounding = it.Value()
		case "citationMetadata":
			c.cited = it.Value()
		case "logprobsResult":
			c.logprobs = it.Value()
		default:
			if keep {
				c.extra = dialect.Keep(c.extra, &it)
			}
		}
	}
}

func readCandidate(raw []byte) llm.Choice {
	var c candidate
	c.read(raw, true)
	choice := llm.Choice{Finish: finishOf(c.finish), Parts: readParts(get(c.content, "parts")), Extra: c.extra}
	if choice.Finish == llm.NotFinished {
		choice.Finish = llm.FinishOther
	}
	if choice.Finish == llm.FinishStop && hasCall(choice.Parts) {
		choice.Finish = llm.FinishTool
	}
	cite(choice.Parts, &c)
	if c.logprobs != nil {
		choice.Logprobs = readLogprobs(c.logprobs)
	}
	return choice
}

func hasCall(parts []llm.Part) bool {
	for i := range parts {
		if parts[i].Kind == llm.ToolCallPart {
			return true
		}
	}
	return false
}

// finishes pairs finish reasons; the first of a reason is the one written. The
// numbers are those of the enum, where a client asked for them.
var finishes = []struct {
	name   string
	number string
	finish llm.Finish
}{
	{"STOP", "1", llm.FinishStop},
	{"MAX_TOKENS", "2", llm.FinishLength},
	{"SAFETY", "3", llm.FinishFilter},
	{"RECITATION", "4", llm.FinishFilter},
	{"BLOCKLIST", "6", llm.FinishFilter},
	{"PROHIBITED_CONTENT", "7", llm.FinishFilter},
	{"SPII", "8", llm.FinishFilter},
	{"MODEL_ARMOR", "10", llm.FinishFilter},
	{"IMAGE_SAFETY", "", llm.FinishFilter},
	{"IMAGE_PROHIBITED_CONTENT", "", llm.FinishFilter},
	{"IMAGE_RECITATION", "", llm.FinishFilter},
	{"OTHER", "5", llm.FinishOther},
	{"FUNCTION_CALL", "", llm.FinishTool}, // of servers that imitate the API, which says STOP
}

// finishOf reads a finish reason; absent and unspecified are NotFinished. What the
// table lacks (MALFORMED_FUNCTION_CALL, LANGUAGE, …) is FinishOther.
func finishOf(raw []byte) llm.Finish {
	word := jsonx.Interior(raw)
	if len(raw) == 0 || string(raw) == "0" || string(word) == "FINISH_REASON_UNSPECIFIED" {
		return llm.NotFinished
	}
	for _, n := range finishes {
		if string(word) == n.name || n.number != "" && string(raw) == n.number {
			return n.finish
		}
	}
	return llm.FinishOther
}

// finishName is the word for a finish reason. A call, and a pause, are a stop here.
func finishName(f llm.Finish) string {
	switch f {
	case llm.FinishTool, llm.FinishPause:
		f = llm.FinishStop
	case llm.FinishRefusal:
		f = llm.FinishFilter
	}
	for _, n := range finishes {
		if n.finish == f {
			return n.name
		}
	}
	return "OTHER"
}
