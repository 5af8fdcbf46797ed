package core

import "sync"

// maxKept bounds how many things a World keeps.
const maxKept = 4096

// shelf keeps what an API stores on its side, by id; the oldest goes first.
type shelf struct {
	mu    sync.Mutex
	kept  map[string]any
	order []string
}

// Keep stores something for later requests to this World.
func (w *World) Keep(id string, v any) {
	s := &w.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[string]any{}
	}
	if _, ok := s.kept[id]; !ok {
		s.order = append(s.order, id)
	}
	s.kept[id] = v
	for len(s.order) > maxKept {
		delete(s.kept, s.order[0])
		s.order = s.order[1:]
	}
}

// Kept finds what was stored; nil when there is nothing of that id.
func (w *World) Kept(id string) any {
	w.shelf.mu.Lock()
	defer w.shelf.mu.Unlock()
	return w.shelf.kept[id]
}

// Forget removes what was stored and reports whether there was anything.
func (w *World) Forget(id string) bool {
	s := &w.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.kept[id]
	delete(s.kept, id)
	for i := range s.order {
		if s.order[i] == id {
			s.order = append(s.order[:i:i], s.order[i+1:]...)
			break
		}
	}
	return ok
}
