// Package nvr makes a recorder of an agent: it opens the store, records the cameras,
// deletes what is too old, and serves what was recorded through the agent's API.
package nvr
