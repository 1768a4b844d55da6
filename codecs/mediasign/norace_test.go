//go:build !race

package mediasign

const raceEnabled = false
