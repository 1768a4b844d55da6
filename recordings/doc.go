// Package recordings holds the nouns of recorded video. A Stream is one encoding
// of a camera; it is kept as segments, files that any player plays, which consist
// of fragments. What was not recorded is a Gap, what happened an Event.
//
// Sub-packages are one adapter each: fmp4 is the file format, index the catalogue
// (SQLite), disk the store, recorder what turns frames into segments, retention
// what may be deleted, playback the HTTP API, export one file out of many, remote
// what records other agents' cameras.
package recordings
