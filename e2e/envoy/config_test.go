package envoy

// wholeConfig is what the shared Envoy serves. Models are named for what they
// are there for; the mock's behaviours stand in the upstream model's name.
const wholeConfig = `
version: 1
health: {failures: []} # each test by itself
retries: {min_per_second: 100}
providers:
  openai: {dialect: openai, url: "$OPENAI/v1", credentials: ["env:E2E_OPENAI_KEY"], boundary: internal}
  anthropic: {dialect: anthropic, url: "$ANTHROPIC/v1", credentials: ["env:E2E_ANTHROPIC_KEY"]}
  spare: {dialect: openai, url: "$SPARE/v1", credentials: ["env:E2E_SPARE_KEY"]}
  nobody: {dialect: openai, url: "$REFUSING/v1", credentials: ["env:E2E_OPENAI_KEY"]}

models:
  gpt: {max_output: 16384, targets: [{provider: openai, model: gpt-4.1}]}
  claude: {max_output: 16384, targets: [{provider: anthropic, model: claude-haiku-4-5}]}
  reason: {max_output: 4096, targets: [{provider: openai, model: gpt-5-mini}]}
  impatient: {targets: [{name: openai/impatient, provider: openai, model: "gpt-4o!hang", timeout: 1s}]}
  unreachable: {targets: [{provider: nobody, model: gpt-4o}]}
  forbidden: {targets: [{name: openai/forbidden, provider: openai, model: gpt-4o}]}
  outside: {targets: [{name: anthropic/outside, provider: anthropic, model: claude-haiku-4-5}]}
  limited: {max_output: 64, targets: [{name: openai/limited, provider: openai, model: gpt-4o}]}
  metered: {max_output: 1024, targets: [{name: openai/metered, provider: openai, model: gpt-4o}]}

  # Failover: what the first target does wrong, and the second one answers.
  first-401: {targets: [{name: a/401, provider: openai, model: "gpt-4o!401"}, {name: b/401, provider: spare, model: gpt-4.1, priority: 1}]}
  first-429: {targets: [{name: a/429, provider: openai, model: "gpt-4o!rate-limit"}, {name: b/429, provider: spare, model: gpt-4.1, priority: 1}]}
  first-503: {targets: [{name: a/503, provider: openai, model: "gpt-4o!503"}, {name: b/503, provider: spare, model: gpt-4.1, priority: 1}]}
  first-html: {targets: [{name: a/html, provider: openai, model: "gpt-4o!html"}, {name: b/html, provider: spare, model: gpt-4.1, priority: 1}]}
  first-reset: {targets: [{name: a/reset, provider: openai, model: "gpt-4o!reset-before-headers"}, {name: b/reset, provider: spare, model: gpt-4.1, priority: 1}]}
  first-close: {targets: [{name: a/close, provider: openai, model: "gpt-4o!close-after-request"}, {name: b/close, provider: spare, model: gpt-4.1, priority: 1}]}
  first-hang: {targets: [{name: a/hang, provider: openai, model: "gpt-4o!hang", timeout: 1s}, {name: b/hang, provider: spare, model: gpt-4.1, priority: 1}]}
  first-refuses: {targets: [{name: a/refuses, provider: nobody, model: gpt-4o}, {name: b/refuses, provider: spare, model: gpt-4.1, priority: 1}]}
  first-error-event: {targets: [{name: a/event, provider: openai, model: "gpt-4o!stream-error-first"}, {name: b/event, provider: spare, model: gpt-4.1, priority: 1}]}
  first-opens: {targets: [{name: a/opens, provider: openai, model: "gpt-4o!stream-error-opened"}, {name: b/opens, provider: spare, model: gpt-4.1, priority: 1}]}
  first-claude-503: {targets: [{name: a/c503, provider: anthropic, model: "claude-haiku-4-5!529"}, {name: b/c503, provider: spare, model: gpt-4.1, priority: 1}]}
  first-claude-opens: {targets: [{name: a/copens, provider: anthropic, model: "claude-haiku-4-5!stream-error-opened"}, {name: b/copens, provider: spare, model: gpt-4.1, priority: 1}]}
  then-claude: {max_output: 256, targets: [{name: a/then, provider: openai, model: "gpt-4o!500"}, {name: b/then, provider: anthropic, model: claude-haiku-4-5, priority: 1}]}
  breaks-later: {targets: [{name: a/later, provider: openai, model: "gpt-4o!stream-error-mid"}, {name: b/later, provider: spare, model: gpt-4.1, priority: 1}]}
  both-503: {targets: [{name: a/both, provider: openai, model: "gpt-4o!503"}, {name: b/both, provider: spare, model: "gpt-4o!rate-limit=9", priority: 1}]}
  both-reset: {targets: [{name: a/resets, provider: openai, model: "gpt-4o!reset-before-headers"}, {name: b/resets, provider: spare, model: "gpt-4o!reset-before-headers", priority: 1}]}

identity:
  keys:
    alice: {hash: "$HASH_alice", organisation: acme, team: search, user: alice}
    bob: {hash: "$HASH_bob", organisation: acme, team: inside, user: bob}
    carol: {hash: "$HASH_carol", organisation: acme, team: closed, disabled: true}

policy:
  policies:
    everybody: {cedar: 'permit (principal, action == Action::"invoke", resource);'}
    no-forbidden: {cedar: 'forbid (principal, action, resource in Model::"forbidden");'}
    stay-inside: {cedar: 'forbid (principal, action, resource in Boundary::"external") when { principal.team == "inside" };'}

budgets:
  two-a-day: {unit: requests, limit: 2, window: day, models: [limited], chunk: 1}
  many-tokens: {unit: tokens, limit: 1000000000, window: day, models: [metered], per: [team]}

price:
  currency: USD
  targets:
    openai/gpt-4.1: {input: 2.00, output: 8.00}
`
