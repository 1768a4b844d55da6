package faultfs

import (
	"io/fs"
	"maps"
	"slices"
	"time"
)

// node is a file or a folder: as programs see it, and as it is on the disk.
type node struct {
	// A folder.
	names   map[string]*node
	durable map[string]*node
	renames []change

	// A file. pending are the changes since the last sync, oldest first.
	data    []byte
	synced  []byte
	pending []change
}

// change is one that is not on the disk yet: names that lead elsewhere, at once, or
// bytes that are written, or the file cut off.
type change struct {
	names map[string]*node // nil: removed
	data  []byte
	at    int64
	cut   bool // to at
}

func newFolder() *node {
	return &node{names: make(map[string]*node), durable: make(map[string]*node)}
}

// set lets a name lead to a node; nil removes it.
func (n *node) set(name string, to *node) {
	n.apply(change{names: map[string]*node{name: to}})
}

func (n *node) rename(from, to string, what *node) {
	n.apply(change{names: map[string]*node{from: nil, to: what}})
}

func (n *node) apply(c change) {
	applyNames(n.names, c)
	n.renames = append(n.renames, c)
}

func applyNames(to map[string]*node, c change) {
	for name, what := range c.names {
		if what == nil {
			delete(to, name)
		} else {
			to[name] = what
		}
	}
}

func (n *node) syncNames() {
	n.durable, n.renames = maps.Clone(n.names), nil
}

func (n *node) write(p []byte, at int64) {
	c := change{data: slices.Clone(p), at: at}
	n.data = c.on(n.data)
	n.pending = append(n.pending, c)
}

func (n *node) truncate(size int64) {
	c := change{at: size, cut: true}
	n.data = c.on(n.data)
	n.pending = append(n.pending, c)
}

func (n *node) sync() {
	n.synced, n.pending = slices.Clone(n.data), nil
}

// on returns data with the change made.
func (c change) on(data []byte) []byte {
	end := c.at + int64(len(c.data))
	if c.cut && int64(len(data)) > c.at {
		return slices.Clone(data[:c.at])
	}
	if grow := end - int64(len(data)); grow > 0 {
		data = append(data, make([]byte, grow)...)
	}
	copy(data[c.at:], c.data)
	return data
}

// info describes a node.
func (n *node) info(name string) fs.FileInfo {
	return &info{name: name, node: n, size: int64(len(n.data))}
}

type info struct {
	name string
	node *node
	size int64
}

// Name implements fs.FileInfo.
func (i *info) Name() string { return i.name }

// Size implements fs.FileInfo.
func (i *info) Size() int64 { return i.size }

// Mode implements fs.FileInfo.
func (i *info) Mode() fs.FileMode {
	if i.node.names != nil {
		return fs.ModeDir | 0o750
	}
	return 0o640
}

// ModTime implements fs.FileInfo.
func (i *info) ModTime() time.Time { return time.Time{} }

// IsDir implements fs.FileInfo.
func (i *info) IsDir() bool { return i.node.names != nil }

// Sys implements fs.FileInfo.
func (i *info) Sys() any { return i.node }

// SameFile reports whether two infos describe one file.
func (i *info) SameFile(o fs.FileInfo) bool { return o.Sys() == any(i.node) }
