// Package rtspcam starts RTSP cameras for tests: GStreamer's server with many
// kinds of streams, VLC, which knows only UDP, and small cameras that
// misbehave. All of them listen on free ports of the loopback interface and
// end with the test.
package rtspcam
