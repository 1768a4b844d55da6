package agent

import "sync"

// downloads bounds the answers that take long, in all and of each peer, so that
// they keep neither each other nor a pan command waiting. Safe for concurrent use.
type downloads struct {
	// Constant after construction.
	most, each int

	mu  sync.Mutex // guards what follows
	all int
	of  map[string]int // by askerOf; at most as many as there are downloads
}

func newDownloads(most, each int) *downloads {
	return &downloads{most: most, each: each, of: make(map[string]int)}
}

// enter takes a place and reports whether there was one. It does not wait. leave
// gives it back; it is called once.
func (d *downloads) enter(who string) (leave func(), ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all >= d.most || d.of[who] >= d.each {
		return nil, false
	}
	d.all++
	d.of[who]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.all--
		if d.of[who]--; d.of[who] == 0 {
			delete(d.of, who)
		}
	}, true
}
