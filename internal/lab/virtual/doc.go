// Package virtual makes networks for tests inside one process: homes behind
// routers of every kind, a carrier's NAT, servers with public addresses, and the
// internet between them with delay and loss. They are pion's vnet, so whatever
// takes a transport.Net can be tested in them, and inside a testing/synctest
// bubble minutes take milliseconds and every run is the same. All of it must be
// made inside the bubble, and it ends with the test.
//
// vnet carries UDP only, and one protocol family per network: hosts with IPv6
// have an internet of their own.
package virtual
