package anthropic

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// checkThinking holds thinking against the rest of the request.
func checkThinking(body *strict.Value, m *core.Model) *core.Fault {
	thinking := body.Get("thinking")
	kind := thinking.Get("type").Str()
	if kind != "enabled" && kind != "adaptive" {
		return nil
	}
	if !m.Reasons {
		return invalid("'%s' does not support thinking.", m.Snapshot)
	}
	if b := thinking.Get("budget_tokens").Int(0); body.Get("max_tokens").Int(0) <= b {
		return invalid("`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size")
	}
	if t, ok := body.Get("temperature").Float(); ok && t != 1 {
		return invalid("`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking")
	}
	if body.Has("top_k") {
		return invalid("`top_k` must be unset when thinking is enabled.")
	}
	if c := body.Get("tool_choice").Get("type").Str(); c == "any" || c == "tool" {
		return invalid("Thinking may not be enabled when tool_choice forces tool use.")
	}
	if kind == "enabled" {
		return checkThoughtFirst(merge(body.Get("messages").List()))
	}
	return nil
}

// checkThoughtFirst wants the thinking of the turn whose calls are answered now
// to be sent back with them.
func checkThoughtFirst(turns []said) *core.Fault {
	if len(turns) < 2 {
		return nil
	}
	answered := false
	for _, b := range turns[len(turns)-1].blocks {
		answered = answered || b.kind() == "tool_result"
	}
	last := turns[len(turns)-2]
	if !answered || len(last.blocks) == 0 {
		return nil
	}
	first := last.blocks[0]
	if k := first.kind(); k != "thinking" && k != "redacted_thinking" {
		return invalid("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`.", first.message, k)
	}
	return nil
}

// checkSignatures refuses thinking that was altered on its way back.
func checkSignatures(x *core.Exchange, body *strict.Value) *core.Fault {
	for i, m := range body.Get("messages").List() {
		for j, b := range m.Get("content").List() {
			if b.Get("type").Str() != "thinking" {
				continue
			}
			if !signed(x.World, b.Get("thinking").Str(), b.Get("signature").Str()) {
				return invalid("messages.%d.content.%d: Invalid `signature` in `thinking` block", i, j)
			}
		}
	}
	return nil
}

// sign makes the signature of a thinking block. Omitted thinking is sealed in
// the signature, so its text comes back empty.
func sign(w *core.World, thinking string) string {
	mac := hmac.New(sha256.New, []byte("mock "+strconv.FormatUint(w.Seed, 16)))
	mac.Write([]byte(thinking))
	return base64.StdEncoding.EncodeToString(append([]byte{0x12, 0xb5, 0x01, 0x0a}, mac.Sum(nil)...))
}

func signed(w *core.World, thinking, signature string) bool {
	return hmac.Equal([]byte(signature), []byte(sign(w, thinking)))
}
