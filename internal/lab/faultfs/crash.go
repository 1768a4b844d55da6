package faultfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is what a disk writes whole or not at all, in bytes.
const sector = 512

// Crash returns the file system as the next start of the machine finds it. Of what
// was not synced some is there, some is not, in no order, and single sectors of it;
// seed says which.
func (f *FS) Crash(seed uint64) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := &crash{rand: rand.New(rand.NewPCG(seed, 0x5163)), made: make(map[*node]*node)}
	root := c.node(f.root)
	after := &FS{root: root}
	for _, n := range c.made {
		after.used += int64(len(n.data))
	}
	return after
}

// crash copies nodes as they are on the disk.
type crash struct {
	rand *rand.Rand
	made map[*node]*node
}

func (c *crash) node(n *node) *node {
	if done, ok := c.made[n]; ok {
		return done
	}
	out := &node{}
	c.made[n] = out
	if n.names == nil {
		out.data = c.content(n)
		out.sync()
		return out
	}
	kept := maps.Clone(n.durable)
	for _, change := range n.renames {
		if c.coin() {
			applyNames(kept, change)
		}
	}
	out.names = make(map[string]*node, len(kept))
	for _, name := range slices.Sorted(maps.Keys(kept)) { // in order, so that a seed gives the same each time
		out.names[name] = c.node(kept[name])
	}
	out.syncNames()
	return out
}

// content is what is left of a file.
func (c *crash) content(n *node) []byte {
	data := slices.Clone(n.synced)
	order := c.rand.Perm(len(n.pending))
	inOrder := c.coin() // most disks do, most of the time
	for i := range n.pending {
		change := n.pending[i]
		if !inOrder {
			change = n.pending[order[i]]
		}
		switch c.rand.IntN(4) {
		case 0: // never written
		case 1: // only some of its sectors
			if !change.cut {
				data = c.tear(data, change)
			}
		default:
			data = change.on(data)
		}
	}
	return data
}

// tear makes some sectors of a change. The file has its full size all the same, as
// where a file system writes sizes before contents.
func (c *crash) tear(data []byte, w change) []byte {
	blank := change{data: make([]byte, len(w.data)), at: w.at}
	if int64(len(data)) >= w.at+int64(len(w.data)) {
		copy(blank.data, data[w.at:])
	}
	for at := 0; at < len(w.data); at += sector {
		end := min(at+sector, len(w.data))
		switch c.rand.IntN(3) {
		case 0:
			copy(blank.data[at:end], w.data[at:end])
		case 1: // what somebody else's file had there
			for i := at; i < end; i++ {
				blank.data[i] = byte(c.rand.UintN(256))
			}
		}
	}
	return blank.on(data)
}

func (c *crash) coin() bool { return c.rand.IntN(2) == 0 }
