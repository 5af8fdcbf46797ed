package sdk

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// invoke is aws-sdk-go-v2's InvokeModel and InvokeModelWithResponseStream. The
// client leaves the body to applications: it is Claude's, in the words of
// anthropic-sdk-go.
type invoke struct{ *bedrockruntime.Client }

func newInvoke(a access) client { return invoke{newBedrock(a)} }

// body is a request as Bedrock has it: it names a version, and no model.
func (invoke) body(q question) ([]byte, error) {
	raw, err := json.Marshal(messages{}.params(q))
	if err != nil {
		return nil, err
	}
	m, err := object(string(raw))
	if err != nil {
		return nil, err
	}
	delete(m, "model")
	m["anthropic_version"] = "bedrock-2023-05-31"
	return json.Marshal(m)
}

func (c invoke) Chat(ctx context.Context, q question) (answer, error) {
	body, err := c.body(q)
	if err != nil {
		return answer{}, err
	}
	got, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: &q.model, Body: body, ContentType: aws.String("application/json")})
	if err != nil {
		return answer{}, err
	}
	var m anthropic.Message
	if err := json.Unmarshal(got.Body, &m); err != nil {
		return answer{}, err
	}
	return invokeAnswer(m), nil
}

// invokeAnswer leaves out the model, which an application knows from the path: the
// answer has the provider's name where its bytes were kept.
func invokeAnswer(m anthropic.Message) answer {
	a := messageAnswer(m)
	a.model = ""
	return a
}

func (c invoke) Stream(ctx context.Context, q question, each func(string)) (answer, error) {
	body, err := c.body(q)
	if err != nil {
		return answer{}, err
	}
	got, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &q.model, Body: body, ContentType: aws.String("application/json")})
	if err != nil {
		return answer{}, err
	}
	s := got.GetStream()
	defer s.Close() //nolint:errcheck // it was read
	var acc invoked
	for e := range s.Events() {
		if err := acc.add(e, each); err != nil {
			return answer{}, err
		}
	}
	if err := errors.Join(s.Err(), ctx.Err()); err != nil {
		return answer{}, err
	}
	return acc.answer()
}

// invoked is what came of a stream.
type invoked struct {
	message anthropic.Message
	metrics struct { // of the last event
		Metrics *struct {
			In         int64 `json:"inputTokenCount"`
			Out        int64 `json:"outputTokenCount"`
			CacheRead  int64 `json:"cacheReadInputTokenCount"`
			CacheWrite int64 `json:"cacheWriteInputTokenCount"`
		} `json:"amazon-bedrock-invocationMetrics"`
	}
}

func (t *invoked) add(e types.ResponseStream, each func(string)) error {
	chunk, ok := e.(*types.ResponseStreamMemberChunk)
	if !ok {
		return errors.New("an event that is no chunk")
	}
	var event anthropic.MessageStreamEventUnion
	if err := errors.Join(json.Unmarshal(chunk.Value.Bytes, &event), json.Unmarshal(chunk.Value.Bytes, &t.metrics)); err != nil {
		return err
	}
	each(event.Delta.Text)
	return t.message.Accumulate(event)
}

// answer holds what Bedrock counted against what the model's own API did.
func (t *invoked) answer() (answer, error) {
	a, m := invokeAnswer(t.message), t.metrics.Metrics
	if m == nil || m.In+m.CacheRead+m.CacheWrite != a.in || m.Out != a.out {
		return a, errors.New("the last chunk does not say what the answer cost")
	}
	return a, nil
}

// Embed is left out: what is sent is what a model's maker wants.
func (invoke) Embed(context.Context, string, []string) (vectors, error) { return vectors{}, errNoAPI }

func (invoke) Fault(err error) (fault, bool) { return bedrockFault(err) }
