package fidelity

// sharedRows are about what streams share.
var sharedRows = []Row{
	{
		Name: "shared-data", Asks: "Shared data: absent keys, CAS that fits, CAS that is stale, CAS for a new key, no CAS.",
		Down:    `request_headers: shared {row}; share {row} one; shared {row}; share {row} two last; share {row} three last; shared {row}; share {row} four stale; share {row} five; shared {row}; share {row}2 new stale; shared {row}2`,
		Traffic: getAndServe,
	},
	{
		Name: "shared-data-stages", Asks: "Shared data and a Go variable written by the client's stage, read by the upstream stage with the same vm_id.",
		Down: `request_headers: share {row} v; remember {row} v`,
		Up:   `request_headers: shared {row}; recall {row}`, Traffic: getAndServe,
	},
	{
		Name: "shared-data-vms", Asks: "… with another vm_id.",
		Setup: Setup{UpVM: "closed"},
		Down:  `request_headers: share {row} v; remember {row} v`,
		Up:    `request_headers: shared {row}; recall {row}; prop plugin_vm_id`, Traffic: getAndServe,
	},
	{
		Name: "shared-queue", Asks: "A shared queue: register, push, on_queue_ready, pull, empty.",
		Down: `request_headers: pull {row}; queue {row}; push {row} one; push {row} two
			queue_ready#1: pull {row}
			queue_ready#2: pull {row}; pull {row}`,
		Traffic: func(w World) {
			get(w)
			w.Elapse(0, "= empty")
			serve(w, 1)
		},
	},
	{
		Name: "metrics", Asks: "Metrics: increments and records of each kind, negative ones, reads, unknown ids.",
		Down: `request_headers: metric 0 {row}c; inc 0 {row}c 2; rec 0 {row}c 5; metricv 0 {row}c; inc 0 {row}c -1; inc 0 {row}c 0; metricv 0 {row}c
			request_body: metric 1 {row}g; inc 1 {row}g 5; inc 1 {row}g -2; rec 1 {row}g 9; metricv 1 {row}g; metric 2 {row}h; rec 2 {row}h 7; inc 2 {row}h 1; metricv 2 {row}h; metric 9 {row}x; incid 4000 1; incid 4001 1; incid 4002 1; incid 4003 1; recid 4000 1; recid 4001 1; recid 4002 1; recid 4003 1; getid 4000; getid 4001; getid 4002; getid 4003`,
		Traffic: askAndServe,
	},
	{
		Name: "foreign", Asks: "Foreign functions: known and unknown.",
		Down:    `request_headers: foreign clear_route_cache; foreign nothing; foreign set_envoy_filter_state`,
		Traffic: getAndServe,
	},
}
