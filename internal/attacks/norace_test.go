//go:build !race

package attacks

// crowd is how many connections an attack opens at once.
const crowd = 10_000
