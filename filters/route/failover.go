package route

import "github.com/posterngw/postern/filters/llm"

// next holds, per error class, whether another target may do better. It is the
// class table of the failover.
var nextTarget = map[llm.Class]bool{
	llm.ClientError:     false,
	llm.AuthError:       true, // a provider refuses our credential: another has its own
	llm.PolicyError:     false,
	llm.ContextLength:   false,
	llm.ContentFilter:   false,
	llm.RateLimited:     true,
	llm.QuotaExhausted:  true,
	llm.Overloaded:      true,
	llm.ProviderError:   true,
	llm.TimeoutError:    true,
	llm.MalformedAnswer: true,
}

// MayFailOver reports whether an attempt that ended in class c is worth another
// target.
func MayFailOver(c llm.Class) bool { return nextTarget[c] }
