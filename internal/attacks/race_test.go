//go:build race

package attacks

// crowd is how many connections an attack opens at once; the race detector
// makes each of them several times as dear.
const crowd = 2_000

// stride is which of the bytes of a message are flipped: every fourth.
const stride = 4
