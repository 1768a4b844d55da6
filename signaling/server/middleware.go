package server

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sightline-cam/sightline/internal/check"
)

// maxLoggedPath bounds what a stranger can write into the log with one request.
const maxLoggedPath = 128

// accessLog notes requests: never a query, a header or a body.
func (s *Server) accessLog(c *gin.Context) {
	started := time.Now()
	c.Next()
	path := c.Request.URL.Path
	s.log.LogAttrs(c.Request.Context(), slog.LevelDebug, "http request",
		slog.String("method", c.Request.Method),
		slog.String("path", path[:min(len(path), maxLoggedPath)]),
		slog.Int("status", c.Writer.Status()),
		slog.Duration("took", time.Since(started)),
		slog.String("client", clientIP(c).String()))
}

// recoverPanic turns a panic into a 500: one request must not end the others.
func (s *Server) recoverPanic(c *gin.Context) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			panic(v) // the HTTP server's own way to end a response
		default:
			s.metrics.panics.Inc()
			s.log.Error("panic in a request", "path", c.FullPath(), "panic", v)
			if !c.Writer.Written() {
				fail(c, http.StatusInternalServerError, "internal", "The server made a mistake.")
			}
			c.Abort()
		}
	}()
	c.Next()
}

// securityHeaders sets what is right for an API; the page sets its own policy
// over it. There is no Access-Control header: CORS is denied.
func securityHeaders(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if c.Request.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	c.Next()
}

func (s *Server) checkHost(c *gin.Context) {
	if check.Off(check.Host) || s.hosts.host(c.Request) {
		return
	}
	s.metrics.refused.WithLabelValues(refusedHost).Inc()
	fail(c, http.StatusMisdirectedRequest, "wrong_host", "This server does not answer to that name. Add it to the allowed hosts.")
}

func (s *Server) checkOrigin(c *gin.Context) {
	if check.Off(check.Origin) || s.hosts.origin(c.Request) {
		return
	}
	s.metrics.refused.WithLabelValues(refusedOrigin).Inc()
	fail(c, http.StatusForbidden, "foreign_origin", "Pages of another origin may not talk to this server.")
}

// fail answers an error in the form that all our HTTP interfaces share.
func fail(c *gin.Context, status int, code, message string) {
	c.Header("Cache-Control", "no-store")
	c.AbortWithStatusJSON(status, gin.H{"error": gin.H{"code": code, "message": message}})
}
