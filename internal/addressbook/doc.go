// Package addressbook remembers where the agents that a viewer is paired with were
// last reached, so that it finds them again without any server.
package addressbook
