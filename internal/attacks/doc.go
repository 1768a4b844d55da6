// Package attacks tries the attacks of docs/design/attacks.md against the real
// programs, each of them twice: on an ordinary build, which must refuse it and
// count the refusal, and on a build in which exactly the check that refused it
// is switched off, where the very same attack must succeed. Only then has the
// first try proved anything.
//
// Everything is in the tests; `make attacks` runs them and prints a line for
// each.
package attacks
