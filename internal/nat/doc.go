// Package nat finds out by which addresses this machine can be reached, through
// whatever translates them on the way: STUN on the socket that media uses.
// Port mapping is in its sub-package portmap, the examination of a network in
// netcheck.
package nat
