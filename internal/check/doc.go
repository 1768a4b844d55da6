// Package check names the checks that stand between a stranger and a picture.
// Metrics count refusals by these names, docs/design/security.md lists them,
// and `make attacks` tries each of them twice: as it is, when the attack must be
// refused, and switched off, when the very same attack must succeed, or the test
// would prove nothing. Only a build with the tag "weakened" can switch one off.
package check
