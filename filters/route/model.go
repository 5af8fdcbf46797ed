package route

import (
	"strings"
	"time"

	"github.com/posterngw/postern/filters/config"
)

// ModelConfig is one entry of `models`.
type ModelConfig struct {
	Aliases   []string
	Match     []string
	MaxOutput int
	OnLoss    string
	State     string
	Order     []string
	Regions   []string
	Sticky    string
	Tasks     []TaskConfig
	Failover  [len(classes)]string
	Deadline  time.Duration
	Targets   []TargetConfig
}

// TaskConfig is one entry of a model's `tasks`.
type TaskConfig struct {
	Task      string
	Needs     []string
	MinTokens int
	MaxTokens int
}

// TargetConfig is one entry of a model's `targets`.
type TargetConfig struct {
	Name       string
	Provider   string
	Model      string
	Region     string
	Priority   int
	Weight     int
	Canary     float64
	MaxOutput  int
	Window     int
	Can        []string
	Tasks      []string
	Timeout    time.Duration
	FirstToken time.Duration
	Idle       time.Duration
	Total      time.Duration
}

func modelFields(_ string, m *ModelConfig) []config.Field {
	return []config.Field{
		config.Strings("aliases", &m.Aliases, config.Length(0, 100), config.Check(checkAliases),
			config.Doc("Other names of the model. Policies, budgets and records speak of the model.")),
		config.Strings("match", &m.Match, config.Length(0, 100), config.Check(checkPatterns), config.Example("[\"gpt-*\"]"),
			config.Doc("Patterns with one `*` for any text: a name that matches, and that no model has as its own or as an alias, is served by this model. The longest pattern wins. A `*` in a target's `model` is what the pattern's matched.")),
		config.Int("max_output", &m.MaxOutput, config.Range(0, 10_000_000),
			config.Doc("Output tokens to ask for when a client gives no bound. A hard token budget needs one. 0 writes none.")),
		config.String("on_loss", &m.OnLoss, config.Default("warn"), config.OneOf(onLoss...),
			config.Doc("What to do when translating to a target's API leaves part of a request out: `warn` serves it and says so in "+
				"the answer's header x-postern-loss and in the audit record, `allow` only in the record, `refuse` leaves the target out.")),
		config.String("state", &m.State, config.Default("marked"), config.OneOf("marked", "first"),
			config.Doc("Where a request goes that refers to what one provider keeps (a response, a conversation, a file), when targets at several "+
				"could serve: `marked` to the one that the id's mark names (see `state.key`; without a mark it is refused), "+
				"`first` to the first target's provider where there is no mark.")),
		config.Strings("order", &m.Order, config.OneOf(strategyNames[:]...), config.Length(0, maxOrder-1),
			config.Doc("How targets of one priority are ordered, the first strategy first: `weight` (by chance), `cost` (the request's estimated cost), `latency` (measured; differences of less than a fifth do not count), `outstanding` (attempts that run, per weight), `region` (see `regions`), `sticky` (see `sticky`). What is left equal is ordered by weight.")),
		config.Strings("regions", &m.Regions, config.Length(0, 32),
			config.Doc("The regions that `order: [region]` prefers, the best first.")),
		config.String("sticky", &m.Sticky, config.Default(stickyConversation), config.Check(checkSticky),
			config.Doc("What `order: [sticky]` and canaries keep together: `conversation` (who asks, the model, and what all turns begin with), `user` (the end user, or else who asks), or `header:NAME` (its value).")),
		config.List("tasks", &m.Tasks, taskFields, config.Length(0, 32),
			config.Doc("Which requests are of a task, the first rule that holds. A client that may (`override_route`) names it in the header `x-postern-task`.")),
		config.Object("failover", &m.Failover, failoverFields,
			config.Doc("What comes after an attempt that ended in an error, by its class: `next` tries the plan's next target, `stop` gives the client the error.")),
		config.Duration("deadline", &m.Deadline, config.Range(0, time.Hour),
			config.Doc("How long all attempts together may take until the first content. 0 does not bound them.")),
		config.List("targets", &m.Targets, targetFields, config.Required(), config.Length(1, 64),
			config.Doc("Where requests for this model may go.")),
	}
}

func failoverFields(words *[len(classes)]string) []config.Field {
	fields := make([]config.Field, len(words))
	for i := range classes {
		c := &classes[i]
		known := stepNames
		if c.next != Larger {
			known = stepNames[:Larger]
		}
		fields[i] = config.String(c.class.String(), &words[i], config.Default(stepNames[c.next]), config.OneOf(known...),
			config.Doc("Default `"+stepNames[c.next]+"`: "+c.why+"."))
	}
	return fields
}

func taskFields(t *TaskConfig) []config.Field {
	return []config.Field{
		config.String("task", &t.Task, config.Required(), config.Name(), config.Doc("The task's name, as in a target's `tasks`.")),
		config.Strings("needs", &t.Needs, config.OneOf(abilityWords()...), config.Length(0, len(abilities)),
			config.Doc("What the request must need.")),
		config.Int("min_tokens", &t.MinTokens, config.Range(0, 1_000_000_000),
			config.Doc("The least length of the question in tokens, estimated.")),
		config.Int("max_tokens", &t.MaxTokens, config.Range(0, 1_000_000_000),
			config.Doc("The greatest. 0 is any.")),
	}
}

func targetFields(t *TargetConfig) []config.Field {
	return []config.Field{
		config.String("name", &t.Name, config.Name(),
			config.Doc("The target's name in policies, budgets, prices, metrics and records. Default: `provider/model`.")),
		config.Ref("provider", &t.Provider, "providers", config.Required(), config.Doc("A name from `providers`.")),
		config.String("model", &t.Model, config.Required(), config.Length(1, 256),
			config.Doc("The provider's own name of the model. A `*` is what the `*` of the model's pattern (`match`) stood for.")),
		config.String("region", &t.Region, config.Doc("Where it is. Default: the provider's region.")),
		config.Int("priority", &t.Priority, config.Range(0, 1000),
			config.Doc("Lower is tried first; targets of one priority are ordered by the model's `order`.")),
		config.Int("weight", &t.Weight, config.Default(1), config.Range(0, 1_000_000),
			config.Doc("Share among targets of the same priority. 0 is used only when the others cannot serve.")),
		config.Float("canary", &t.Canary, config.Range(0.0, 1.0),
			config.Doc("This share of the model's requests, and no others, may go to this target. The record says which. 0: it is no canary.")),
		config.Int("max_output", &t.MaxOutput, config.Range(0, 10_000_000),
			config.Doc("As the model's `max_output`, for this target alone.")),
		config.Int("window", &t.Window, config.Range(0, 1_000_000_000),
			config.Doc("Tokens that question and answer may have together. A request that is estimated to need more does not go there. 0: unknown.")),
		canField(&t.Can, "What the target can take; a request that needs more does not go there. Default: the provider's."),
		config.Strings("tasks", &t.Tasks, config.Length(0, 32),
			config.Doc("The tasks that the target is for. Default: all requests, of any task.")),
		config.Duration("timeout", &t.Timeout, config.Default(time.Minute), config.Range(10*time.Millisecond, time.Hour),
			config.Doc("How long an attempt may take until its first content. Envoy has one such time for all attempts of a request, the first target's: see [failover](failover.md#times).")),
		config.Duration("first_token", &t.FirstToken, config.Range(0, time.Hour),
			config.Doc("How long a stream may take until its first content, from the attempt's beginning. 0: `timeout` alone.")),
		config.Duration("idle", &t.Idle, config.Range(0, time.Hour),
			config.Doc("How long a stream may be silent once it has begun. Then it ends with an error. 0: for ever.")),
		config.Duration("total", &t.Total, config.Range(0, time.Hour),
			config.Doc("How long a stream may take in all, however steadily it drips. Then it ends with an error. 0: for ever.")),
	}
}

func canField(list *[]string, doc string) config.Field {
	return config.Strings("can", list, config.OneOf(abilityWords()...), config.Length(0, len(abilities)), config.Doc(doc))
}

func abilityWords() []string {
	words := make([]string, len(abilities))
	for i := range abilities {
		words[i] = abilities[i].word
	}
	return words
}

// The words of `sticky`.
const (
	stickyConversation = "conversation"
	stickyUser         = "user"
	stickyHeader       = "header:"
)

func checkSticky(s string) error {
	name, header := strings.CutPrefix(s, stickyHeader)
	if s == stickyConversation || s == stickyUser || header && name != "" && strings.ToLower(name) == name {
		return nil
	}
	return config.Problem("not a way to keep requests together", "conversation, user, or header: with a header's name in lower case")
}

func checkAliases(list []string) error {
	for _, s := range list {
		if !config.ValidName(s) {
			return config.Problem(config.Quote(s)+" is not a name", "")
		}
	}
	return nil
}

func checkPatterns(list []string) error {
	for _, s := range list {
		before, after, star := strings.Cut(s, "*")
		if !star || !config.ValidName(before+after) {
			return config.Problem(config.Quote(s)+" is not a pattern", "a name in which one * stands for any text, as in gpt-*")
		}
	}
	return nil
}

// onLoss are the words for the values of OnLoss.
var onLoss = []string{WarnLoss: "warn", AllowLoss: "allow", RefuseLoss: "refuse"}
