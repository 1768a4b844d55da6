// Package powercut kills the recorder at random moments and looks at what is left.
// The power cuts at every operation are a test of package disk.
package powercut
