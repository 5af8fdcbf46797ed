package hosttest

import "sync"

// sharedData is the key-value store of all VMs of a host, by vm_id (cpp-host, shared_data.cc).
type sharedData struct {
	mu   sync.Mutex
	cas  uint32
	data map[string]map[string]sharedValue
}

type sharedValue struct {
	value []byte
	cas   uint32
}

func (d *sharedData) init() { d.data = map[string]map[string]sharedValue{} }

func (d *sharedData) get(vmID, key string) ([]byte, uint32, Status) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.data[vmID][key]
	if !ok {
		return nil, 0, StatusNotFound
	}
	return v.value, v.cas, StatusOK
}

// set writes unconditionally with cas 0, else only over a value with that cas. A key that does not
// exist is created whatever the cas, as in Envoy.
func (d *sharedData) set(vmID, key string, value []byte, cas uint32) Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.data[vmID]
	if m == nil {
		m = map[string]sharedValue{}
		d.data[vmID] = m
	}
	if old, ok := m[key]; ok && cas != 0 && cas != old.cas {
		return StatusCASMismatch
	}
	d.cas++
	if d.cas == 0 {
		d.cas = 1
	}
	m[key] = sharedValue{value: append([]byte(nil), value...), cas: d.cas}
	return StatusOK
}

func (d *sharedData) keys(vmID string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sortedKeys(d.data[vmID])
}

// sharedQueues are the queues of a host, by vm_id and name (cpp-host, shared_queue.cc).
type sharedQueues struct {
	mu     sync.Mutex
	next   uint32
	tokens map[[2]string]uint32
	queues map[uint32]*sharedQueue
}

type sharedQueue struct {
	worker *worker
	vm     *VM
	root   uint32
	items  [][]byte
}

func (q *sharedQueues) init() {
	q.next, q.tokens, q.queues = 1, map[[2]string]uint32{}, map[uint32]*sharedQueue{}
}

// register makes the queue, or makes the caller its reader; what is in it stays.
func (q *sharedQueues) register(vm *VM, root uint32, name string) uint32 {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := [2]string{vm.id, name}
	token, ok := q.tokens[key]
	if !ok {
		token = q.next
		q.next++
		q.tokens[key] = token
		q.queues[token] = &sharedQueue{}
	}
	queue := q.queues[token]
	queue.worker, queue.vm, queue.root = vm.worker, vm, root
	return token
}

func (q *sharedQueues) resolve(vmID, name string) (uint32, Status) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if token, ok := q.tokens[[2]string{vmID, name}]; ok {
		return token, StatusOK
	}
	return 0, StatusNotFound
}

// enqueue appends and wakes the reader on its own worker.
func (q *sharedQueues) enqueue(token uint32, data []byte) Status {
	q.mu.Lock()
	defer q.mu.Unlock()
	queue, ok := q.queues[token]
	if !ok {
		return StatusNotFound
	}
	queue.items = append(queue.items, append([]byte(nil), data...))
	vm, root := queue.vm, queue.root
	queue.worker.post(func() {
		if c := vm.contexts[root]; c != nil && !c.failed() {
			c.invoke(CallbackQueueReady, Args{token})
			vm.leave()
		}
	})
	return StatusOK
}

func (q *sharedQueues) dequeue(token uint32) ([]byte, Status) {
	q.mu.Lock()
	defer q.mu.Unlock()
	queue, ok := q.queues[token]
	if !ok {
		return nil, StatusNotFound
	}
	if len(queue.items) == 0 {
		return nil, StatusEmpty
	}
	item := queue.items[0]
	queue.items = queue.items[1:]
	return item, StatusOK
}

// SharedData is a copy of what VMs with this vm_id have stored.
func (h *Host) SharedData(vmID string) map[string]string {
	out := map[string]string{}
	for _, key := range h.shared.keys(vmID) {
		if v, _, st := h.shared.get(vmID, key); st == StatusOK {
			out[key] = string(v)
		}
	}
	return out
}
