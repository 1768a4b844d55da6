// Package disk keeps recordings as files in one or more directories, with an index
// that can always be made anew from them. What a sync has promised survives a power
// cut: docs/design/storage.md has the invariants, and Check proves them of what lies
// there.
package disk
