// Package spool keeps the newest pictures and sound of a camera, so that a recorder
// that could not be reached fetches what it lacks: a bounded ring of fragments per
// rendition in memory and, where a folder is given, on disk. docs/design/spool.md
// has its invariants.
package spool
