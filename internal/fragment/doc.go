// Package fragment is a group of pictures on its way from an agent's spool to a
// recorder: its video and sound with exact times as compact binary, a digest by
// which a recorder knows whether what it received live is all of it, and the list
// of what a spool has. docs/design/spool.md describes the format.
package fragment
