// Package rtsp takes media from cameras that speak RTSP 1.0 (RFC 2326). It is
// the only package that knows the RTSP library.
package rtsp
