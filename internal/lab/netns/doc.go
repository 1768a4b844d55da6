//go:build linux

// Package netns builds small internets for tests, on the real kernel: network
// namespaces joined by virtual cables, with routers that translate addresses by
// nftables in the ways that routers at home and at carriers do (RFC 4787).
//
// A Lab is one internet. It has servers of its own at ServerAddress and
// SecondServerAddress, and Sites: a host or several behind a router of a Kind.
// All sites use the same addresses inside, as homes do. Nothing is added to the
// network namespace of the machine, so that other tests do not notice, and
// everything is gone when the test ends. What a test that was killed left behind
// is removed by the next one.
//
// It needs root, iproute2 and nftables, and miniupnpd and coturn for what is
// named after them. Tests skip without, or fail where CI=true.
package netns
