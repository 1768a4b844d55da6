// Package cli is what the programs in cmd share: the camera command, and what
// surrounds any command of ours: its streams, its signals, its log, and the
// care that no password ends up in the list of processes.
package cli
