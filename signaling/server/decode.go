//go:build !weakened

package server

import "github.com/sightline-cam/sightline/signaling"

// decode reads a client's frame, strictly.
func decode(data []byte) (signaling.Frame, error) { return signaling.DecodeFrame(data) }
