// Package fmp4test makes media for tests out of codecs/testpattern and ffmpeg, and
// plays files with programs that are not ours. It is for tests only.
package fmp4test
