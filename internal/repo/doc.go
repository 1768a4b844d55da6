// Package repo holds the rules of this repository as tests: who may import
// what, which documents must exist and agree with the code, how long a file
// may be. It has no code of its own.
package repo
