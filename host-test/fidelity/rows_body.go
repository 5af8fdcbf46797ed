package fidelity

func threeChunks(w World) {
	w.Request(false, post...)
	w.Body("abc", false)
	w.Body("def", false)
	w.Body("ghi", true)
	serve(w, 1)
}

// bodyRows are about request bodies: sizes, reading and replacing.
var bodyRows = []Row{
	{
		Name: "body-sizes-continued", Asks: "Sizes in body callbacks that continue.",
		Down: `request_body: read req 0 100; size req`, Traffic: threeChunks,
	},
	{
		Name: "body-sizes-paused", Asks: "Sizes in body callbacks that pause until the end.",
		Down: `request_body@more: pause
			request_body@end: read req 0 100; size req`,
		Traffic: threeChunks,
	},
	{
		Name: "body-pause-once", Asks: "Pause at the first chunk, continue after: what does each callback see?",
		Down: `request_body#1: pause
			request_body: read req 0 100`,
		Traffic: threeChunks,
	},
	{
		Name: "body-pause-watermark", Asks: "PauseAndWatermark (2) from the body until the end.",
		Down: `request_body@more: water
			request_body@end: read req 0 100`,
		Traffic: threeChunks,
	},
	{
		Name: "body-no-buffer", Asks: "PauseNoBuffer (3) from the body: who keeps the bytes?",
		Down: `request_body@more: nobuffer
			request_body@end: read req 0 100`,
		Traffic: threeChunks,
	},
	{
		Name: "body-paused-headers-gone", Asks: "Headers continued, body paused: have the headers left, and can they be changed?",
		Down: `request_body@more: pause
			request_body@end: get req x-a; set req x-a 2; names req`,
		Traffic: threeChunks,
	},
	{
		Name: "body-empty", Asks: "An empty body: end of stream in a frame of its own.",
		Down: `request_headers: pause
			request_body: read req 0 100; size req; write req 0 0 made; continue`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("", true)
			serve(w, 1)
		},
	},
	{
		Name: "body-end-alone", Asks: "The end of a body in an empty frame behind its last bytes.",
		Down: `request_body@more: pause
			request_body@end: read req 0 100`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Body("", true)
			serve(w, 1)
		},
	},
	{
		Name: "body-empty-chunk", Asks: "An empty frame in the middle of a body.",
		Down: `request_body: continue`,
		Traffic: func(w World) {
			w.Request(false, post...)
			w.Body("abc", false)
			w.Body("", false)
			w.Body("def", true)
			serve(w, 1)
		},
	},
	{
		Name: "body-read-ranges", Asks: "Ranges of get_buffer_bytes: inside, behind the end, empty, and start plus size beyond 32 bits.",
		Down:    `request_body: read req 1 1; read req 1 100; read req 3 1; read req 9 1; read req 0 0; read req 2 4294967295; read req 4294967295 4294967295`,
		Traffic: askAndServe,
	},
	{
		Name: "body-replace-whole", Asks: "Replace the whole buffer: exact size, larger size.",
		Down: `request_body#1: write req 0 3 one
			request_body#2: write req 0 99 second
			request_body#3: write req 0 3 -`,
		Traffic: threeChunks,
	},
	{
		Name: "body-replace-empty", Asks: "Replace the whole buffer by nothing.",
		Down: `request_body@more: pause
			request_body@end: write req 0 99; size req; continue`,
		Traffic: threeChunks,
	},
	{
		Name: "body-prepend", Asks: "Prepend: start 0, size 0.",
		Down: `request_body: write req 0 0 pre; read req 0 99`, Traffic: askAndServe,
	},
	{
		Name: "body-append", Asks: "Append: start at the end, start behind it.",
		Down: `request_body: write req 3 0 post; write req 99 0 more; read req 0 99`, Traffic: askAndServe,
	},
	{
		Name: "body-middle", Asks: "Replace a range in the middle, a prefix, a suffix.",
		Down: `request_body: write req 1 1 X; write req 0 2 X; write req 1 2 X; write req 2 9 X; read req 0 99`, Traffic: askAndServe,
	},
	{
		Name: "body-write-elsewhere", Asks: "Write the response body and the configuration in a request body callback; the request body at headers.",
		Down: `request_headers: write req 0 0 pre; read req 0 9; size req; write resp 0 0 pre
			request_body: write resp 0 0 pre; read resp 0 9; write config 0 9 x; write call 0 9 x; read call 0 9; read config 0 3`,
		Traffic: askAndServe,
	},
	{
		Name: "body-written-twice", Asks: "Several writes in one callback see each other.",
		Down: `request_body: write req 0 99 first; write req 0 0 <; write req 99 0 >; read req 0 99`, Traffic: askAndServe,
	},
	{
		Name: "body-upstream-stage", Asks: "The upstream stage pauses its headers, reads the body, changes both.",
		Up: `request_headers: pause
			request_body@more: pause
			request_body@end: read req 0 99; set req :path /target; set req x-late 1; write req 0 99 changed; continue`,
		Traffic: threeChunks,
	},
	{
		Name: "body-both-stages", Asks: "Both stages change the same body.",
		Down: `request_headers: pause
			request_body@more: pause
			request_body@end: write req 0 99 client; continue`,
		Up: `request_headers: pause
			request_body@more: pause
			request_body@end: read req 0 99; write req 99 0 +provider; continue`,
		Traffic: threeChunks,
	},
	{
		Name: "length-removed", Asks: "HTTP/1.1 upstream: a longer body with content-length removed at headers.",
		Setup: Setup{HTTP1: true},
		Down: `request_headers: del req content-length
			request_body: write req 0 99 longer-than-before`,
		Traffic: func(w World) {
			w.Request(false, "content-length: 3")
			w.Body("abc", true)
			serve(w, 1)
		},
	},
	{
		Name: "length-kept", Asks: "HTTP/1.1 upstream: a longer body with the old content-length.",
		Setup: Setup{HTTP1: true},
		Down:  `request_body: write req 0 99 longer-than-before`,
		Traffic: func(w World) {
			w.Request(false, "content-length: 3")
			w.Body("abc", true)
			w.Elapse(0, "smuggled")
			serve(w, 1)
		},
	},
	{
		Name: "length-kept-shorter", Asks: "HTTP/1.1 upstream: a shorter body with the old content-length.",
		Setup: Setup{HTTP1: true},
		Down:  `request_body: write req 0 99 a`,
		Traffic: func(w World) {
			w.Request(false, "content-length: 3")
			w.Body("abc", true)
			w.Abort()
		},
	},
	{
		Name: "length-set", Asks: "HTTP/1.1 upstream: headers held, the exact content-length set with the body.",
		Setup: Setup{HTTP1: true},
		Down: `request_headers: pause
			request_body@more: pause
			request_body@end: write req 0 99 changed; set req content-length 7; continue`,
		Traffic: func(w World) {
			w.Request(false, "content-length: 3")
			w.Body("abc", true)
			serve(w, 1)
		},
	},
}
