// Package retention decides what recordings are deleted, and deletes them. Plan is
// pure: tables in, names of segments out. Keeper feeds it and carries it out in the
// background. docs/design/retention.md has the rules.
package retention
