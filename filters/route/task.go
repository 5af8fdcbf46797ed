package route

import "github.com/posterngw/postern/filters/llm"

// TaskRule says which requests are of a task. All that it names must hold.
type TaskRule struct {
	Task      string
	Needs     llm.Needs
	MinTokens int // of the question, estimated
	MaxTokens int // 0: any
}

// task is what the request is taken for: what the client named, or what the
// first rule that holds says.
func (c *choice) task() string {
	if c.Task != "" || len(c.m.Tasks) == 0 {
		return c.Task
	}
	in, _ := c.m.Targets[0].Estimate(c.Facts)
	for i := range c.m.Tasks {
		r := &c.m.Tasks[i]
		if r.Needs&^c.Facts.Needs == 0 && in >= int64(r.MinTokens) && (r.MaxTokens == 0 || in <= int64(r.MaxTokens)) {
			return r.Task
		}
	}
	return ""
}

// takes reports whether a target is for a task. One without tasks is for all.
func (t *Target) takes(task string) bool {
	if len(t.Tasks) == 0 {
		return true
	}
	for _, one := range t.Tasks {
		if one == task {
			return true
		}
	}
	return false
}
