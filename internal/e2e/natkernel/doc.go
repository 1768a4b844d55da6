// Package natkernel tests the real programs on small internets of the real
// kernel (internal/lab/netns): agents and viewers behind every kind of router
// that matters, each pair expected to find a direct path, or one through a relay,
// or none. `make nat-kernel` prints the table. docs/design/nat.md says why each
// cell is what it is; internal/lab/virtual has the same in virtual time.
//
// It needs root, and what internal/lab/netns needs.
package natkernel
