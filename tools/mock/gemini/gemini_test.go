package gemini_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
	mt "github.com/posterngw/postern/tools/mock/internal/mocktest"
)

type j = mt.J

const (
	models = "/v1beta/models/"
	vertex = "/v1/projects/p/locations/us-central1/publishers/google/models/"
)

func client(t *testing.T) *mt.Client {
	return mt.New(t, mock.Options{}, mt.Gemini())
}

func said(role string, parts ...j) j { return j{"role": role, "parts": parts} }

func ask(text string, more j) j {
	body := j{"contents": []j{said("user", j{"text": text})}}
	for k, v := range more {
		body[k] = v
	}
	return body
}

var weather = j{"tools": []j{{"functionDeclarations": []j{{"name": "weather", "parameters": j{"type": "OBJECT",
	"properties": j{"city": j{"type": "STRING"}}, "required": []string{"city"}}}}}}}

func parts(v any) []any {
	list, _ := mt.At(v, "candidates", 0, "content", "parts").([]any)
	return list
}

func TestWhole(t *testing.T) {
	c := client(t)
	out := c.Post(models+"gemini-2.0-flash:generateContent", ask("Hi", j{"generation_config": j{"max_output_tokens": 100}}), 200)
	require.Contains(t, mt.Text(parts(out)[0], "text"), `You said: "Hi"`)
	require.Equal(t, "STOP", mt.Text(out, "candidates", 0, "finishReason"))
	require.Equal(t, mt.Num(out, "usageMetadata", "totalTokenCount"), mt.Num(out, "usageMetadata", "promptTokenCount")+mt.Num(out, "usageMetadata", "candidatesTokenCount"))
	out = c.Post(models+"gemini-2.5-flash:generateContent", ask("Hi", j{"generationConfig": j{"candidateCount": 2,
		"thinkingConfig": j{"includeThoughts": true, "thinkingBudget": 1024}}}), 200)
	require.Equal(t, true, mt.At(parts(out)[0], "thought"))
	require.Equal(t, 2, mt.Len(out, "candidates"))
	require.Positive(t, mt.Num(out, "usageMetadata", "thoughtsTokenCount"))
	out = c.Post(models+"gemini-2.5-flash:generateContent", ask("Name a City", j{"generationConfig": j{"responseMimeType": "application/json",
		"responseSchema": weather["tools"].([]j)[0]["functionDeclarations"].([]j)[0]["parameters"]}}), 200)
	require.JSONEq(t, `{"city":"City"}`, mt.Text(parts(out)[0], "text"))
	out = c.Post(models+"mock!empty-choices:generateContent", ask("Hi", nil), 200)
	require.Equal(t, "PROHIBITED_CONTENT", mt.Text(out, "promptFeedback", "blockReason"))
	out = c.Post(models+"bench-600b:generateContent", ask("Hi", nil), 200)
	require.Equal(t, 1, mt.Num(out, "usageMetadata", "candidatesTokenCount"))
}

// TestSignatures takes a call around: its signature has to come back as it was.
func TestSignatures(t *testing.T) {
	c := client(t)
	at := models + "gemini-3-pro-preview:generateContent"
	out := c.Post(at, ask("Weather in Paris?", weather), 200)
	call, ok := parts(out)[0].(j)
	require.True(t, ok)
	require.Equal(t, "weather", mt.Text(call, "functionCall", "name"))
	require.NotEmpty(t, mt.Text(call, "functionCall", "id"))
	sign := mt.Text(call, "thoughtSignature")
	require.NotEmpty(t, sign)
	again := func(sign any) j {
		made := j{"functionCall": call["functionCall"], "thoughtSignature": sign}
		body := ask("Weather in Paris?", weather)
		body["contents"] = []j{said("user", j{"text": "Weather in Paris?"}), said("model", made),
			said("user", j{"functionResponse": j{"name": "weather", "response": j{"output": "rain"}}})}
		return body
	}
	require.Contains(t, mt.Text(parts(c.Post(at, again(sign), 200))[0], "text"), `"rain"`)
	c.Post(at, again("skip_thought_signature_validator"), 200)
	for sign, message := range map[any]string{nil: "missing a thought_signature", "A" + sign[1:]: "Corrupted thought signature", "?": "Base64 decoding failed"} {
		require.Contains(t, mt.Text(c.Post(at, again(sign), 400), "error", "message"), message)
	}
	c.Post(models+"gemini-2.5-pro:generateContent", again(nil), 200)
	past := again(nil)
	past["contents"] = append(past["contents"].([]j), said("model", j{"text": "It rains."}), said("user", j{"text": "Thanks"}))
	c.Post(at, past, 200)
}

func TestStream(t *testing.T) {
	c := client(t)
	for name, more := range map[string]j{"text": nil, "tools": weather, "thinking": {"generationConfig": j{"thinkingConfig": j{"includeThoughts": true}}}} {
		at := models + "gemini-3-flash-preview:streamGenerateContent"
		res, raw := c.Do(c.Request("POST", at+"?alt=sse", ask("Weather in Paris?", more)))
		require.Equal(t, 200, res.StatusCode, name)
		require.Equal(t, "text/event-stream", res.Header.Get("content-type"))
		require.True(t, strings.HasSuffix(string(raw), "\r\n\r\n"))
		var last j
		for _, e := range mt.Events(t, string(raw)) {
			last = e.JSON(t)
		}
		require.Equal(t, "STOP", mt.Text(last, "candidates", 0, "finishReason"))
		u := func(name string) int { return mt.Num(last, "usageMetadata", name) }
		require.Equal(t, u("totalTokenCount"), u("promptTokenCount")+u("candidatesTokenCount")+u("thoughtsTokenCount"))

		res, raw = c.Do(c.Request("POST", at, ask("Weather in Paris?", more)))
		require.Equal(t, 200, res.StatusCode, name)
		var list []j
		require.NoError(t, json.Unmarshal(raw, &list), string(raw))
		require.Equal(t, last["usageMetadata"], list[len(list)-1]["usageMetadata"])
	}
	for _, behaviour := range []string{"stream-error-first", "stream-error-opened", "stream-error-mid"} {
		for _, alt := range []string{"", "?alt=sse"} {
			req := c.Request("POST", models+"mock:streamGenerateContent"+alt, ask("Hi", nil))
			req.Header.Set(mock.BehaviourHeader, behaviour)
			_, raw := c.Do(req)
			var list []j
			if alt != "" {
				events := mt.Events(t, string(raw))
				list = append(list, events[len(events)-1].JSON(t))
			} else {
				require.NoError(t, json.Unmarshal(raw, &list), string(raw))
			}
			require.Equal(t, "UNAVAILABLE", mt.Text(list[len(list)-1], "error", "status"))
		}
	}
	events := mt.Events(t, string(second(c.Do(c.Request("POST", models+"bench-7-chunks:streamGenerateContent?alt=sse", ask("Hi", nil))))))
	require.Len(t, events, 8)
}

func second(_ *http.Response, raw []byte) []byte { return raw }

func TestTokensAndVectors(t *testing.T) {
	c := client(t)
	n := mt.Num(c.Post(models+"gemini-2.5-flash:countTokens", ask("one two three", nil), 200), "totalTokens")
	require.Equal(t, 4, n)
	inner := ask("one two three", j{"model": "models/gemini-2.5-flash", "systemInstruction": said("user", j{"text": "brief"})})
	require.Equal(t, 5, mt.Num(c.Post(models+"gemini-2.5-flash:countTokens", j{"generateContentRequest": inner}, 200), "totalTokens"))
	c.Post(models+"gemini-2.5-pro:countTokens", j{"generateContentRequest": inner}, 400)
	one := j{"model": "models/mock-embedding", "content": said("user", j{"text": "a fox"}), "outputDimensionality": 8}
	single := c.Post(models+"mock-embedding:embedContent", one, 200)
	require.Equal(t, 8, mt.Len(single, "embedding", "values"))
	batch := c.Post(models+"mock-embedding:batchEmbedContents", j{"requests": []j{one, one}}, 200)
	require.Equal(t, mt.At(single, "embedding", "values"), mt.At(batch, "embeddings", 1, "values"))
	c.Post(models+"mock:embedContent", one, 404)
	c.Post(models+"mock-embedding:batchEmbedContents", j{"requests": []j{{"content": one["content"]}}}, 400)
	out := c.Post(vertex+"mock-embedding:predict", j{"instances": []j{{"content": "a fox", "task_type": "RETRIEVAL_QUERY"}},
		"parameters": j{"outputDimensionality": 8}}, 200)
	require.Equal(t, mt.At(single, "embedding", "values"), mt.At(out, "predictions", 0, "embeddings", "values"))
	require.Equal(t, 2, mt.Num(out, "predictions", 0, "embeddings", "statistics", "token_count"))
	require.Equal(t, 2, c.Mock.Stats().Reported["mock-embedding"].Input)
	_, raw := c.Do(c.Request("GET", "/v1beta/models", nil))
	require.Equal(t, "models/gemini-2.0-flash", mt.Text(mt.Decode(t, raw), "models", 0, "name"))
	_, raw = c.Do(c.Request("GET", "/v1beta/models/gemini-2.5-pro", nil))
	require.Equal(t, true, mt.At(mt.Decode(t, raw), "thinking"))
}

// TestRefuses holds the rules of the API that translations break most easily.
func TestRefuses(t *testing.T) {
	c := client(t)
	user := said("user", j{"text": "a"})
	made := said("model", j{"functionCall": j{"name": "f", "args": j{}}})
	result := j{"functionResponse": j{"name": "f", "response": j{}}}
	talk := func(contents ...j) j { return j{"contents": contents} }
	tool := func(declaration j) j { return ask("a", j{"tools": []j{{"functionDeclarations": []j{declaration}}}}) }
	setting := func(g j) j { return ask("a", j{"generationConfig": g}) }
	for message, body := range map[string]j{
		"contents is not specified":                       talk(),
		"valid role":                                      talk(said("assistant", j{"text": "a"})),
		"must not be empty":                               talk(j{"role": "user", "parts": []j{}}),
		"required oneof field":                            talk(said("user", j{})),
		"oneof field 'data' is already set":               talk(said("user", j{"text": "a", "inlineData": j{"mimeType": "image/png", "data": "AA=="}})),
		"Base64 decoding failed":                          talk(said("user", j{"inlineData": j{"mimeType": "image/png", "data": "%"}})),
		"function call turn comes immediately after":      talk(made, said("user", result)),
		"function response turn comes immediately":        talk(said("user", result)),
		"number of function response parts":               talk(user, made, user),
		"Name cannot be empty":                            talk(user, made, said("user", j{"functionResponse": j{"response": j{}}})),
		`Unknown name "nope": Cannot find field.`:         ask("a", j{"nope": 1}),
		`Unknown name "x" at 'generation_config'`:         setting(j{"x": 1}),
		`Unknown name "labels"`:                           ask("a", j{"labels": j{"a": "b"}}),
		"'generation_config.top_k' (TYPE_FLOAT)":          setting(j{"topK": "9"}),
		"temperature must be in the range":                setting(j{"temperature": 3}),
		"max_output_tokens must be positive":              setting(j{"maxOutputTokens": 0}),
		"only one of thinking":                            setting(j{"thinkingConfig": j{"thinkingBudget": 1, "thinkingLevel": "LOW"}}),
		"Thinking level is not supported":                 setting(j{"thinkingConfig": j{"thinkingLevel": "LOW"}}),
		"only works in thinking mode":                     setting(j{"thinkingConfig": j{"thinkingBudget": 0}}),
		"only allowed for `application/json`":             setting(j{"responseSchema": j{"type": "STRING"}}),
		"Invalid function name":                           tool(j{"name": "a b"}),
		"Unknown name \"additionalProperties\"":           tool(j{"name": "f", "parameters": j{"type": "OBJECT", "additionalProperties": false}}),
		"parameters.properties[a].items: missing":         tool(j{"name": "f", "parameters": j{"type": "OBJECT", "properties": j{"a": j{"type": "ARRAY"}}}}),
		"property is not defined":                         tool(j{"name": "f", "parameters": j{"type": "OBJECT", "properties": j{}, "required": []string{"a"}}}),
		"mutually exclusive":                              tool(j{"name": "f", "parameters": j{"type": "OBJECT"}, "parametersJsonSchema": j{}}),
		"is set without function_declarations":            ask("a", j{"toolConfig": j{"functionCallingConfig": j{"mode": "ANY"}}}),
		"Tool use with function calling is unsupported":   ask("a", j{"tools": []j{{"googleSearch": j{}}, {"functionDeclarations": []j{{"name": "f"}}}}}),
		"response mime type: 'application/json' is unsup": ask("a", j{"tools": weather["tools"], "generationConfig": j{"responseMimeType": "application/json"}}),
	} {
		out := c.Post(models+"gemini-2.5-pro:generateContent", body, 400)
		require.Contains(t, mt.Text(out, "error", "message"), message)
		require.Equal(t, "INVALID_ARGUMENT", mt.Text(out, "error", "status"))
	}
	c.Post(vertex+"gemini-2.5-pro:generateContent", ask("a", j{"labels": j{"a": "b"}}), 200)
	c.Post(vertex+"gemini-2.5-pro:generateContent", ask("", nil), 400)
	require.Contains(t, mt.Text(c.Post(models+"nope:generateContent", ask("a", nil), 404), "error", "message"), "is not found for API version v1beta, or is not supported for generateContent")
	require.Contains(t, mt.Text(c.Post(vertex+"nope:generateContent", ask("a", nil), 404), "error", "message"), "`projects/p/locations/us-central1/publishers/google/models/nope` not found")
}

func TestFaults(t *testing.T) {
	c := client(t)
	for behaviour, want := range map[string]struct {
		status int
		word   string
		detail string
	}{
		"429": {429, "RESOURCE_EXHAUSTED", "PerMinute"}, "rate-limit": {429, "RESOURCE_EXHAUSTED", `"retryDelay": "7s"`},
		"quota": {429, "RESOURCE_EXHAUSTED", "PerDay"}, "503": {503, "UNAVAILABLE", "currently unavailable"}, "504": {504, "DEADLINE_EXCEEDED", ""},
		"529": {503, "UNAVAILABLE", "overloaded"}, "401": {400, "INVALID_ARGUMENT", "API_KEY_INVALID"}, "403": {403, "PERMISSION_DENIED", ""},
	} {
		res, raw := c.Do(c.Request("POST", models+"mock!"+behaviour+":generateContent", ask("a", nil)))
		require.Equal(t, want.status, res.StatusCode, behaviour)
		require.Equal(t, want.word, mt.Text(mt.Decode(t, raw), "error", "status"))
		require.Contains(t, string(raw), want.detail)
	}
	c.Header.Del("x-goog-api-key")
	c.Post(models+"mock:generateContent", ask("a", nil), 403)
	c.Post(vertex+"mock:generateContent", ask("a", nil), 401)
}
