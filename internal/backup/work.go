//go:build !race

package backup

// workFactor is what guessing a passphrase costs, as a power of two: about a
// second and 256 MiB.
const workFactor = 18
