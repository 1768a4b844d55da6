// Package recorder turns frames into segments. A Tape does it for one stream; a
// Recorder for all cameras of this process, with schedule, events, privacy pauses
// and a sentence for each camera that says why it is not recorded.
//
// Nothing here waits for a disk but the goroutine that writes: a slow or full one
// costs frames, which are counted and become a gap with its cause, never the live
// picture.
package recorder
