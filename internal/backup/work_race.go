//go:build race

package backup

// workFactor is far too small to be safe, and what tests can wait for: the race
// detector makes scrypt twenty times as slow. Nothing that is installed is built
// with it.
const workFactor = 12
