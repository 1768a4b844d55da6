// Package vm boots a machine for tests that need drivers this machine does not
// have: Debian's kernel in qemu, by software emulation, so that it runs inside a
// virtual machine too. Debian is where the kernel and the modules come from, as
// packages that are unpacked into a cache and not installed; what Debian has as
// source only, v4l2loopback, is built there.
//
// A Machine has a network with this process alone: the tests of a package that
// boots one live in a network namespace of their own (netns.Apart). Programs are
// copied in, run and watched by a program of ours that is the machine's first
// process; see package guest.
//
// It needs root, qemu-system-x86_64, busybox-static, make, gcc and Debian's apt-get
// and dpkg-deb. Tests skip without, or fail where CI=true.
//
// docs/design/v4l2-lab.md holds the invariants.
package vm
