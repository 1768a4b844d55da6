// Package accesslog is the record of who did what at a device: lines of JSON
// that are only ever appended, each with the hash of the line before, so that
// whoever has kept the hash of one line can tell whether anything up to it was
// changed or cut off.
package accesslog
