//go:build race

package peer

// channelsAtOnce is how many connections tests open at once. A connection takes
// some ten goroutines, and the race detector of Go 1.26 now and then fails a
// check of its own when several hundred are in one process.
const channelsAtOnce = 12
