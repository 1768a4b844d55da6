//go:build race

package attacks

// crowd is how many connections an attack opens at once; the race detector
// makes each of them several times as dear.
const crowd = 2_000
