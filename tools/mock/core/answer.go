package core

import (
	"strings"
	"unicode"

	"github.com/posterngw/postern/tools/mock/strict"
)

// Compose decides what to answer: the same prompt, scenario and seed give the
// same answer.
func (w *World) Compose(p *Prompt, s *Scenario) Answer {
	out := Answer{Usage: p.Input}
	if s.EmptyChoices {
		return out
	}
	for i := range max(p.N, 1) {
		c, reasoning := w.choice(p, s, i)
		out.Choices = append(out.Choices, c)
		out.Usage.Output += c.Tokens + reasoning
		out.Usage.Reasoning += reasoning
	}
	return out
}

func (w *World) choice(p *Prompt, s *Scenario, i int) (c Choice, reasoning int) {
	if p.MaxTokens < 0 {
		return Choice{Finish: FinishLength}, 0
	}
	room := budget(p.MaxTokens)
	if p.Thinking {
		c.Thinking = room.take(w.thoughts(p))
		reasoning = len(c.Thinking)
	} else {
		reasoning = room.spend(p.Reasoning)
	}
	if p.callsTools() && !s.Refused && !s.Filtered {
		w.callTools(&c, p, s, &room)
		return c, reasoning
	}
	w.say(&c, p, s, i, &room)
	return c, reasoning
}

// say fills in the text of a choice.
func (w *World) say(c *Choice, p *Prompt, s *Scenario, i int, room *allowance) {
	text, structured := w.text(p, s, i)
	if s.Refused {
		text, c.Finish = "I'm sorry, but I can't help with that.", FinishRefused
	}
	if cut, seq, found := cutStop(text, p.Stop); found {
		text, c.Finish, c.StopText = cut, FinishSequence, seq
	}
	pieces := Pieces(text)
	if !structured && c.Finish == FinishStop {
		pieces = w.stretch(pieces, p, s)
	}
	if s.Filtered {
		pieces, c.Finish = pieces[:(len(pieces)+1)/2], FinishFiltered
	}
	if s.Huge > 0 {
		pieces = append([]string{strings.Repeat("x", s.Huge)}, pieces...)
	}
	c.Text = room.take(pieces)
	c.Tokens = len(c.Text)
	if len(c.Text) < len(pieces) {
		c.Finish, c.StopText = FinishLength, ""
	}
}

// stretch brings the text to the number of tokens that was asked for, and to
// at least as many as there should be chunks.
func (w *World) stretch(pieces []string, p *Prompt, s *Scenario) []string {
	want := s.Tokens
	if want == 0 {
		want = max(len(pieces), w.ChunksOf(s))
	}
	r := w.Rand("filler", p.Text, p.Vary)
	for len(pieces) < want {
		pieces = append(pieces, fillers[r.Intn(len(fillers))])
	}
	return pieces[:want]
}

// ChunksOf is the number of content chunks that a stream should have, or 0.
func (w *World) ChunksOf(s *Scenario) int {
	if s.Chunks > 0 {
		return s.Chunks
	}
	return w.Chunks
}

func (w *World) callTools(c *Choice, p *Prompt, s *Scenario, room *allowance) {
	if p.Preface && p.Choice.Mode == ToolsAuto {
		c.Text = room.take(Pieces("Let me look that up."))
		c.Tokens = len(c.Text)
	}
	tools := p.toolOrder()
	for i := range w.callCount(p, s) {
		tool := tools[i%len(tools)]
		call := Call{Name: tool.Name, Custom: tool.Custom}
		if tool.Custom {
			call.Args = clip(p.Text, 80)
		} else {
			call.Args = Sample(tool.Schema, Words(p.Text), i)
		}
		pieces := Pieces(call.Args)
		kept := room.take(pieces)
		call.Args = strings.Join(kept, "")
		c.Tokens += len(kept) + CountTokens(call.Name)
		c.Calls = append(c.Calls, call)
		if c.Finish = FinishCalls; len(kept) < len(pieces) {
			c.Finish = FinishLength
			return
		}
	}
}

func (w *World) callCount(p *Prompt, s *Scenario) int {
	switch {
	case !p.Parallel || p.Choice.Mode == ToolsNamed:
		return 1
	case s.Parallel > 0:
		return s.Parallel
	case w.Parallel > 0:
		return w.Parallel
	}
	ask := strings.ToLower(p.Text)
	for _, word := range []string{"both", "each of", "parallel", "at once"} {
		if strings.Contains(ask, word) {
			return max(2, min(len(p.Tools), 4))
		}
	}
	return 1
}

// callsTools says whether the answer is a tool call: when a tool is demanded,
// or when it may and no result has come back yet.
func (p *Prompt) callsTools() bool {
	switch {
	case len(p.Tools) == 0 || p.Choice.Mode == ToolsNone:
		return false
	case p.Choice.Mode == ToolsAuto:
		return len(p.Results) == 0
	}
	return true
}

// toolOrder puts the named tool alone, else the tools that the prompt mentions
// first.
func (p *Prompt) toolOrder() []Tool {
	var first, rest []Tool
	ask := strings.ToLower(p.Text)
	for _, t := range p.Tools {
		name := strings.ToLower(t.Name)
		switch {
		case p.Choice.Mode == ToolsNamed && t.Name == p.Choice.Name:
			return []Tool{t}
		case strings.Contains(ask, name) || strings.Contains(ask, strings.ReplaceAll(name, "_", " ")):
			first = append(first, t)
		default:
			rest = append(rest, t)
		}
	}
	return append(first, rest...)
}

func (w *World) text(p *Prompt, s *Scenario, i int) (text string, structured bool) {
	switch {
	case p.Schema != nil:
		return Sample(p.Schema, Words(p.Text), i), true
	case p.JSON:
		return `{"answer":` + string(strict.Quote(clip(p.Text, 60))) + `}`, true
	case len(p.Results) > 0:
		return quoteResults(p.Results), false
	}
	return w.echo(p, i), false
}

func quoteResults(results []string) string {
	quoted := make([]string, len(results))
	for i, r := range results {
		quoted[i] = `"` + clip(r, 200) + `"`
	}
	return "The tool said " + strings.Join(quoted, " and ") + "."
}

func (w *World) echo(p *Prompt, i int) string {
	var b strings.Builder
	b.WriteString(`You said: "` + clip(p.Text, 160) + `".`)
	if p.Images > 0 {
		b.WriteString(" I see " + plural(p.Images, "image") + ".")
	}
	if p.System != "" {
		b.WriteString(" I was told: \"" + clip(p.System, 60) + "\".")
	}
	r := w.Rand("echo", p.Model.ID, p.Text, p.Vary, itoa(i))
	b.WriteString("\n" + sentences[r.Intn(len(sentences))])
	return b.String()
}

// thoughts are the pieces of visible reasoning.
func (w *World) thoughts(p *Prompt) []string {
	text := `The user wrote "` + clip(p.Text, 80) + `". ` +
		"I read it twice, weigh what is asked, and decide on a short answer.\n\n" +
		"That should do."
	pieces := Pieces(text)
	return pieces[:min(len(pieces), max(p.Reasoning, 1))]
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return itoa(n) + " " + noun + "s"
}

func cutStop(text string, stops []string) (cut, seq string, found bool) {
	at := len(text)
	for _, s := range stops {
		if i := strings.Index(text, s); s != "" && i >= 0 && i < at {
			at, seq, found = i, s, true
		}
	}
	return text[:at], seq, found
}

// Words picks what an answer may quote from a prompt: capitalised words that do
// not open a sentence, else its longest word, else "example".
func Words(text string) []string {
	var names []string
	longest, opens := "example", true
	for i, field := range strings.Fields(text) {
		word := strings.TrimFunc(field, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if word == "" {
			continue
		}
		if !opens && unicode.IsUpper([]rune(word)[0]) && word != "I" {
			names = append(names, word)
		}
		if len(word) > len(longest) || i == 0 {
			longest = word
		}
		opens = strings.ContainsAny(field[len(field)-1:], ".!?")
	}
	if len(names) == 0 {
		return []string{longest}
	}
	return names
}

// allowance counts down max_tokens; a bound of 0 is none.
type allowance struct {
	left    int
	bounded bool
}

func budget(maxTokens int) allowance { return allowance{maxTokens, maxTokens > 0} }

func (a *allowance) spend(n int) int {
	if a.bounded {
		n = min(n, a.left)
		a.left -= n
	}
	return n
}

func (a *allowance) take(pieces []string) []string { return pieces[:a.spend(len(pieces))] }

var sentences = []string{
	"This is a mock answer; nobody thought about it.",
	"A short reply, with a tab\tand a naïve café ☕ to keep parsers honest.",
	"Nothing here was computed, but it streams like the real thing.",
	"The quick brown fox jumps over the lazy dog, twice.",
	"Backslashes \\ and <tags> & ampersands survive the trip.",
}

var fillers = []string{" and", " so", " it", " goes", ",", " on", " word", " after", " word", " then", " again", "."}
