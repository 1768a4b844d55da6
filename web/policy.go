package web

import (
	"net/http"
	"strings"
)

// contentSecurityPolicy returns the page's policy. Everything not named is
// refused: no inline script or style, no frame, no foreign origin, no eval.
//
// connect-src 'self' covers the page's own WebSocket: Content Security Policy
// Level 3 §6.7.2.8 lets 'self' match ws: and wss: at the page's host and port.
// WebRTC is not subject to connect-src.
//
// A service worker's address is a script's, which Trusted Types refuse; the one
// policy that can be made gives /sw.js and nothing else (shell.js).
func contentSecurityPolicy() string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data: blob:",
		"media-src 'self' blob:",
		"connect-src 'self'",
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types sightline-worker",
	}, "; ")
}

// setPolicy sets the headers that every answer of the page carries, errors
// included.
func setPolicy(h http.Header) {
	h.Set("Content-Security-Policy", contentSecurityPolicy())
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "+
		"magnetometer=(), microphone=(), midi=(), payment=(), usb=(), "+
		"autoplay=(self), fullscreen=(self), picture-in-picture=(self)")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}
