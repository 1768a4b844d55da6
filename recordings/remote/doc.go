// Package remote records cameras of other agents. Their pictures come live, with
// lost packets sent again; each group of pictures is compared with the list of what
// the agent's spool has and written once it is known to be whole. What is missing
// or different is fetched, at once where that is quick, else in the background,
// newest first. docs/design/spool.md has the invariants.
package remote
