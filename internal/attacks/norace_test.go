//go:build !race

package attacks

// crowd is how many connections an attack opens at once.
const crowd = 10_000

// stride is which of the bytes of a message are flipped: every one.
const stride = 1
