// Package program runs programs for tests: the real binaries, and servers that
// are not ours. What they print is kept, and shown if the test fails; none
// outlives the test, not even one that is killed.
package program
