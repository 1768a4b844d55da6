//go:build !linux

package backup

// exchange puts the folder staged in place of target, which is aside then.
func exchange(staged, target, aside string) error { return swapByNames(staged, target, aside) }
