//go:build !linux

package rtsp

import "net"

func setLowWater(net.Conn, int) {}
