// Package portmap asks the router for a port of its own that leads to one of
// ours: by PCP (RFC 6887), else NAT-PMP (RFC 6886), else UPnP IGD. It keeps the
// mapping alive, makes it anew after the router or the network changed, and takes
// it back in the end. What the router says is not believed further than it must
// be: see docs/design/portmap.md.
package portmap
