package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/gate"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
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
	if s.foreign(c, refusedHost) {
		return
	}
	fail(c, http.StatusMisdirectedRequest, "wrong_host", "This server does not answer to that name. Add it to the allowed hosts.")
}

func (s *Server) checkOrigin(c *gin.Context) {
	if check.Off(check.Origin) || s.hosts.origin(c.Request) {
		return
	}
	if s.foreign(c, refusedOrigin) {
		return
	}
	fail(c, http.StatusForbidden, "foreign_origin", "Pages of another origin may not talk to this server.")
}

// foreign counts a request under a foreign name or from a foreign page, and
// answers it if its source is held off.
func (s *Server) foreign(c *gin.Context, reason string) (answered bool) {
	if c.Request.URL.Path == signaling.Path {
		from := source{address: gate.Prefix(clientIP(c)), foreign: true}
		if s.heldOff(c, from) {
			return true
		}
		s.offend(from, reason)
	}
	s.metrics.refused.WithLabelValues(reason).Inc()
	return false
}

// heldOff answers a request if its source is held off.
func (s *Server) heldOff(c *gin.Context, from source) bool {
	wait := s.offenders.held(time.Now(), from)
	if wait == 0 {
		return false
	}
	s.metrics.refused.WithLabelValues(refusedHeldOff).Inc()
	seconds := int64((wait + time.Second - 1) / time.Second)
	c.Header("Retry-After", strconv.FormatInt(seconds, 10))
	fail(c, http.StatusTooManyRequests, refusedHeldOff, fmt.Sprintf("Too much from this address had to be refused. Try again in %d seconds.", seconds))
	return true
}

// offend counts an offence.
func (s *Server) offend(from source, reason string) {
	now := time.Now()
	shared := !from.foreign && from.peer == "" && s.addresses.shared(now, from.address)
	period := s.offenders.offend(now, from, shared)
	if period == 0 {
		return
	}
	s.metrics.holdOffs.WithLabelValues(reason).Inc()
	s.log.Info("held off", "address", from.address.String(), "peer", from.peer.Short(), "reason", reason, "for", period)
}

// offendAs counts an offence of a registered peer. The first is the address's
// too, so that fresh keys excuse nobody.
func (s *Server) offendAs(peer identity.PeerID, from netip.Prefix, reason string) {
	own := source{peer: peer}
	known := s.offenders.knows(own)
	s.offend(own, reason)
	if !known {
		s.offend(source{address: from}, reason)
	}
}

// fail answers an error in the form that all our HTTP interfaces share.
func fail(c *gin.Context, status int, code, message string) {
	c.Header("Cache-Control", "no-store")
	c.AbortWithStatusJSON(status, gin.H{"error": gin.H{"code": code, "message": message}})
}
