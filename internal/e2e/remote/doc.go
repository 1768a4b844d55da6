// Package remote records the camera of one real process in another, breaks the
// processes and the network between them, and looks for every single picture in what
// was recorded.
package remote
