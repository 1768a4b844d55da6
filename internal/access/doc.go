// Package access is the model of who may do what: grants, invites and access
// lists, the chain from a grant back to an owner, and what is in force when
// owners disagree. It is pure: no files, no network, no clock of its own.
package access
