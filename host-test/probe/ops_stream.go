//go:build wasip1

package main

// Operations on the stream of the context that acts. M is a header map (req, reqt, resp, respt,
// call, callt), B a buffer (req, resp, call, vmconfig, config).
//
//	continue | pause | water | stopall | nobuffer | stopwater | action N   what the callback returns
//	get M NAME | set M NAME VALUE | add M NAME VALUE | del M NAME | names M | setall M NAME=VALUE…
//	read B START SIZE | write B START SIZE [DATA]
//	resume HALF | close HALF                            HALF is req, resp or a number
//	reply STATUS BODY [NAME=VALUE…]                     BODY "-" is none
//	prop PATH | propn PATH | propt PATH | setprop PATH VALUE
//
// prop shows a property, propn a number, propt only that it has a value. Dots of a PATH stand for NUL
// unless it begins with "=".
var _ = register(map[string]operation{
	"continue":  returning(0),
	"pause":     returning(1),
	"water":     returning(2),
	"stopall":   returning(3),
	"nobuffer":  returning(3),
	"stopwater": returning(4),
	"action": {1, func(r *run, a []string) (uint32, string) {
		r.action = number(a[0])
		return noStatus, ""
	}},

	"get": {2, func(_ *run, a []string) (uint32, string) {
		v, status := header(mapNames[a[0]], a[1])
		return value(status, v)
	}},
	"set": {3, func(_ *run, a []string) (uint32, string) {
		return proxyReplaceHeader(mapNames[a[0]], ptr(a[1]), size(a[1]), ptr(a[2]), size(a[2])), ""
	}},
	"add": {3, func(_ *run, a []string) (uint32, string) {
		return proxyAddHeader(mapNames[a[0]], ptr(a[1]), size(a[1]), ptr(a[2]), size(a[2])), ""
	}},
	"del": {2, func(_ *run, a []string) (uint32, string) {
		return proxyRemoveHeader(mapNames[a[0]], ptr(a[1]), size(a[1])), ""
	}},
	"names": {1, func(_ *run, a []string) (uint32, string) {
		var r result
		p, n := r.at()
		status := proxyGetPairs(mapNames[a[0]], p, n)
		return status, pairNames(r.take())
	}},
	"setall": {1, func(_ *run, a []string) (uint32, string) {
		pairs := encodePairs(a[1:])
		return proxySetPairs(mapNames[a[0]], ptr(pairs), size(pairs)), ""
	}},

	"read": {3, func(_ *run, a []string) (uint32, string) {
		var r result
		p, n := r.at()
		status := proxyGetBuffer(bufferNames[a[0]], number(a[1]), number(a[2]), p, n)
		return value(status, r.take())
	}},
	"write": {3, func(_ *run, a []string) (uint32, string) {
		data := ""
		if len(a) > 3 {
			data = a[3]
		}
		return proxySetBuffer(bufferNames[a[0]], number(a[1]), number(a[2]), ptr(data), size(data)), ""
	}},

	"resume": {1, func(_ *run, a []string) (uint32, string) { return proxyContinue(half(a[0])), "" }},
	"close":  {1, func(_ *run, a []string) (uint32, string) { return proxyClose(half(a[0])), "" }},
	"reply":  {2, reply},

	"prop": {1, func(_ *run, a []string) (uint32, string) {
		v, status := property(a[0])
		return value(status, v)
	}},
	"propn": {1, func(_ *run, a []string) (uint32, string) {
		v, status := property(a[0])
		if status == 0 && len(v) == 8 {
			return status, littleEndian(v)
		}
		return value(status, v)
	}},
	"propt": {1, func(_ *run, a []string) (uint32, string) {
		v, status := property(a[0])
		if status == 0 && v != "" {
			return status, "present"
		}
		return status, ""
	}},
	"setprop": {2, func(_ *run, a []string) (uint32, string) {
		return proxySetProperty(ptr(a[0]), size(a[0]), ptr(a[1]), size(a[1])), ""
	}},
})

func returning(action uint32) operation {
	return operation{0, func(r *run, _ []string) (uint32, string) {
		r.action = action
		return noStatus, ""
	}}
}

func half(name string) uint32 {
	if n, ok := halves[name]; ok {
		return n
	}
	return number(name)
}

func value(status uint32, v string) (uint32, string) {
	if status != 0 {
		return status, ""
	}
	return status, quoted(v)
}

func reply(_ *run, a []string) (uint32, string) {
	body := a[1]
	if body == "-" {
		body = ""
	}
	pairs := encodePairs(a[2:])
	return proxyReply(number(a[0]), nil, 0, ptr(body), size(body), ptr(pairs), size(pairs), -1), ""
}
