// Package matrix holds tests only: which pairs of networks find which way to
// each other, and how fast, in virtual time.
package matrix
