package dialecttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/posterngw/postern/filters/llm"
)

// Describe is a request in words: two codecs that mean the same give the same,
// however they spell it. Extra fields, which belong to one dialect, are left out.
func Describe(r *llm.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "model %q stream=%t max=%d n=%d user=%q\n", r.Model, r.Stream, r.MaxTokens, max(r.Choices, 1), r.User)
	for i := range r.Messages {
		m := &r.Messages[i]
		fmt.Fprintf(&b, "%s %q\n", RoleName(m.Role), Plain(m.Name))
		describeParts(&b, "  ", m.Parts)
	}
	for _, t := range r.Tools {
		if t.Server != llm.NoServerTool { // its settings are its own dialect's
			fmt.Fprintf(&b, "server tool %d\n", t.Server)
			continue
		}
		fmt.Fprintf(&b, "tool %q %q strict=%t %s %s\n", Plain(t.Name), Plain(t.Description), t.Strict, Sorted(t.Schema), Compact(t.Other))
	}
	c := r.ToolChoice
	fmt.Fprintf(&b, "choice %d %q", c.Mode, Plain(c.Name))
	if c.Parallel != nil {
		fmt.Fprintf(&b, " parallel=%t", *c.Parallel)
	}
	fmt.Fprintf(&b, "\nsampling %+v\n", r.Sampling)
	for _, s := range r.Stop {
		fmt.Fprintf(&b, "stop %q\n", Plain(s))
	}
	if r.Format != nil {
		fmt.Fprintf(&b, "format %q strict=%t %s\n", Plain(r.Format.Name), r.Format.Strict, Sorted(r.Format.Schema))
	}
	if q := r.Reasoning; q != nil {
		fmt.Fprintf(&b, "reasoning %q %d off=%t\n", Plain(q.Effort), q.Budget, q.Off)
	}
	describeVectors(&b, r)
	return b.String()
}

// describeVectors is what a request for vectors or ranks says.
func describeVectors(b *strings.Builder, r *llm.Request) {
	if e := r.Embed; e != nil {
		fmt.Fprintf(b, "embed %q dimensions=%s base64=%t title=%q truncate=%q\n", Plain(e.Task), e.Dimensions, r.Base64, Plain(e.Title), Plain(e.Truncate))
		for _, input := range e.Inputs {
			describeParts(b, "  ", []llm.Part{input})
		}
	}
	if q := r.Rerank; q != nil {
		fmt.Fprintf(b, "rerank %q top=%s return=%t\n", Plain(q.Query), q.Top, q.Return)
		for _, d := range q.Documents {
			fmt.Fprintf(b, "  document %q\n", Plain(d))
		}
	}
}

// DescribeAnswer is an answer in words.
func DescribeAnswer(a *llm.Answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "answer %q %q %d\n", Plain(a.ID), Plain(a.Model), a.Created)
	for i := range a.Choices {
		c := &a.Choices[i]
		fmt.Fprintf(&b, "choice %d %s %q\n", i, FinishName(c.Finish), Plain(c.StopSequence))
		describeParts(&b, "  ", c.Parts)
	}
	for _, v := range a.Vectors {
		fmt.Fprintf(&b, "vector %d %s %q\n", v.Index, Compact(v.Values), Plain(v.Base64))
	}
	for _, k := range a.Ranks {
		fmt.Fprintf(&b, "rank %d %s %q\n", k.Index, k.Score, Plain(k.Text))
	}
	fmt.Fprintf(&b, "usage %s\n", UsageText(&a.Usage))
	return b.String()
}

// describeParts joins neighbouring texts: a string and a list of texts mean the same.
func describeParts(b *strings.Builder, indent string, parts []llm.Part) {
	for i := 0; i < len(parts); i++ {
		p := parts[i]
		switch p.Kind {
		case llm.TextPart, llm.RefusalPart:
			text := Plain(p.Text)
			for i+1 < len(parts) && parts[i+1].Kind == p.Kind {
				i++
				text += Plain(parts[i].Text)
			}
			fmt.Fprintf(b, "%s%s %q\n", indent, PartName(p.Kind), text)
		case llm.ReasoningPart:
			fmt.Fprintf(b, "%sreasoning %q %q redacted=%t\n", indent, Plain(p.Text), Plain(p.Signature), p.Redacted)
		case llm.ToolCallPart:
			fmt.Fprintf(b, "%stool_call %q %q %s\n", indent, Plain(p.Call.ID), Plain(p.Call.Name), arguments(&p.Call))
		case llm.ToolResultPart:
			fmt.Fprintf(b, "%stool_result %q error=%t\n", indent, Plain(p.Result.ID), p.Result.Error)
			describeParts(b, indent+"  ", p.Result.Parts)
		case llm.OtherPart:
			fmt.Fprintf(b, "%sother %s\n", indent, Compact(p.Other))
		default:
			m := &p.Media
			fmt.Fprintf(b, "%s%s %q url=%q data=%q file=%q name=%q\n", indent, PartName(p.Kind),
				Plain(m.Type), Plain(m.URL), Plain(m.Data), Plain(m.File), Plain(m.Name))
		}
	}
}

// arguments are a call's arguments as compact JSON, whichever way they are carried.
func arguments(c *llm.ToolCall) string {
	raw := c.Input
	if raw == nil {
		raw = llm.Raw(Plain(c.Arguments))
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return "{}"
	}
	return Compact(raw)
}

// Sorted is a JSON schema in one form, its members and what is required by their
// names: codecs that rewrite a schema may move these.
func Sorted(raw []byte) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return Compact(raw)
	}
	sortRequired(v)
	out, err := json.Marshal(v)
	if err != nil {
		return Compact(raw)
	}
	return string(out)
}

func sortRequired(v any) {
	switch v := v.(type) {
	case map[string]any:
		if list, ok := v["required"].([]any); ok {
			sort.Slice(list, func(i, j int) bool { return fmt.Sprint(list[i]) < fmt.Sprint(list[j]) })
		}
		for _, child := range v {
			sortRequired(child)
		}
	case []any:
		for _, child := range v {
			sortRequired(child)
		}
	}
}

// Compact is JSON without white space between its tokens; what is not JSON is
// quoted.
func Compact(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return fmt.Sprintf("!%q", raw)
	}
	return b.String()
}
