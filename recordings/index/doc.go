// Package index is the catalogue of recordings: an SQLite database with a row for
// each segment, and what lists, timelines and seeks are answered from without
// opening a media file. It is a cache: everything in it can be made again from the
// files (`sightline recordings rebuild`). Its format and invariants are in
// docs/design/index.md.
package index
