package server

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"bufio"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sightline-cam/sightline/internal/gate"
	"github.com/sightline-cam/sightline/signaling"
)

// tick is how often held messages and quiet addresses are looked through.
const tick = time.Second

// Server passes signed messages between registered peers. Make it with New,
// serve Handler, stop it with Close.
type Server struct {
	// constant after construction
	opts      Options
	log       *slog.Logger
	hosts     *hosts
	addresses *addresses
	offenders *offenders
	proxies   []netip.Prefix
	metrics   *metrics
	router    *router
	handler   http.Handler

	done chan struct{} // closed by Close
	wg   sync.WaitGroup

	mu sync.Mutex
	// guarded by mu
	closed bool
}

// New checks the options and returns a server whose Handler is ready. It starts
// one goroutine, which Close ends; it does no other I/O.
func New(o Options) (*Server, error) {
	o.setDefaults()
	h, err := newHosts(o.AllowedHosts, o.AllowedOrigins, o.AllowLocal)
	if err != nil {
		return nil, fmt.Errorf("signaling server: %w", err)
	}
	m, err := newMetrics(o.Registry)
	if err != nil {
		return nil, fmt.Errorf("signaling server: %w", err)
	}
	s := &Server{opts: o, log: o.Logger, hosts: h, metrics: m, done: make(chan struct{})}
	s.addresses = newAddresses(&s.opts)
	s.offenders = newOffenders(&s.opts)
	s.router = newRouter(&s.opts, m)
	if s.proxies, err = prefixes(o.TrustedProxies); err != nil {
		return nil, fmt.Errorf("signaling server: trusted proxies: %w", err)
	}
	engine, err := s.routes()
	if err != nil {
		return nil, fmt.Errorf("signaling server: %w", err)
	}
	s.handler = engine
	s.wg.Go(s.sweep)
	return s, nil
}

// Handler serves /v1/signal, /healthz, /metrics and the page. It checks Host
// and Origin of every request.
func (s *Server) Handler() http.Handler { return s.handler }

// Limit wraps the listener of the http.Server around Handler, so that
// connections which say nothing use up nothing (see package gate and
// Options.MaxWaiting). Give its ConnState to the http.Server, and set a
// ReadHeaderTimeout there. TLS goes on top of it.
func (s *Server) Limit(l net.Listener) *gate.Listener {
	return gate.New(l, gate.Options{
		Max: s.opts.MaxWaiting, MaxPerAddress: s.opts.MaxWaitingPerAddress,
		Unlimited: func(ip netip.Addr) bool {
			return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
		},
		OnClose: s.metrics.refused.WithLabelValues(refusedWaiting).Inc,
	})
}

// Registry returns the registry shown at /metrics.
func (s *Server) Registry() *prometheus.Registry { return s.opts.Registry }

// Close ends every WebSocket (close code 1001), refuses new ones, and returns
// when all goroutines have ended: at most Options.CloseTimeout later, plus the
// time of a message being handled. Idempotent. It does not stop the HTTP server
// around Handler: shut that down first, or at the same time.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// begin counts a connection in, unless the server is closing.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	return true
}

func (s *Server) sweep() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return
		case now := <-ticker.C:
			s.router.expire(now)
			s.addresses.sweep(now)
			s.offenders.sweep(now)
		}
	}
}

func (s *Server) routes() (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode) // or it prints to the terminal
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	engine.RemoteIPHeaders = []string{"X-Forwarded-For"}
	if err := engine.SetTrustedProxies(s.opts.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	engine.Use(s.accessLog, s.recoverPanic, securityHeaders, s.checkHost, s.checkOrigin)
	engine.GET(signaling.Path, s.signal)
	engine.GET("/healthz", s.health)
	engine.HEAD("/healthz", s.health)
	engine.GET("/metrics", s.showMetrics(promhttp.HandlerFor(s.opts.Registry, promhttp.HandlerOpts{})))
	engine.NoRoute(func(c *gin.Context) {
		c.Status(http.StatusOK) // gin presets 404; the page decides
		s.opts.Page.ServeHTTP(c.Writer, c.Request)
	})
	engine.NoMethod(func(c *gin.Context) {
		fail(c, http.StatusMethodNotAllowed, "method_not_allowed", "This address does not know that method.")
	})
	return engine, nil
}

func (s *Server) health(c *gin.Context) {
	select {
	case <-s.done:
		fail(c, http.StatusServiceUnavailable, "closing", "The server shuts down.")
	default:
		c.JSON(http.StatusOK, gin.H{"status": "ok"})
	}
}

// showMetrics keeps the numbers to this machine unless the operator says
// otherwise.
func (s *Server) showMetrics(h http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		// A proxy on this machine that was not declared must not open the door.
		local := clientIP(c).IsLoopback() && c.GetHeader("X-Forwarded-For") == "" && c.GetHeader("Forwarded") == ""
		if !s.opts.PublicMetrics && !local {
			fail(c, http.StatusNotFound, "not_found", "There is nothing here.")
			return
		}
		h.ServeHTTP(c.Writer, c.Request)
	}
}

// signal upgrades to a WebSocket and serves it.
func (s *Server) signal(c *gin.Context) {
	ip := clientIP(c)
	from := source{address: gate.Prefix(ip)}
	if s.heldOff(c, from) {
		return
	}
	if !offersSubprotocol(c.Request) {
		s.metrics.refused.WithLabelValues(refusedProtocol).Inc()
		if !c.IsWebsocket() {
			c.Header("Upgrade", "websocket")
			c.Header("Connection", "Upgrade")
			fail(c, http.StatusUpgradeRequired, "not_a_websocket", "Connect here with a WebSocket.")
			return
		}
		fail(c, http.StatusBadRequest, "wrong_subprotocol", "The subprotocol here is "+signaling.Subprotocol+".")
		return
	}
	if !s.begin() {
		s.metrics.refused.WithLabelValues(refusedClosing).Inc()
		fail(c, http.StatusServiceUnavailable, "closing", "The server shuts down.")
		return
	}
	defer s.wg.Done()
	addr, refusal := s.addresses.enter(time.Now(), ip)
	if refusal != "" {
		s.metrics.refused.WithLabelValues(refusal).Inc()
		c.Header("Retry-After", "10")
		status := http.StatusServiceUnavailable
		if refusal == refusedAddress {
			status = http.StatusTooManyRequests
			s.offend(from, refusal)
		}
		fail(c, status, string(signaling.CodeServerBusy), "Too many connections. Try again later.")
		return
	}
	s.metrics.connections.Inc()
	defer func() {
		s.addresses.leave(time.Now(), addr)
		s.metrics.connections.Dec()
	}()

	w := &hijackWriter{ResponseWriter: c.Writer}
	ws, err := websocket.Accept(w, c.Request, &websocket.AcceptOptions{
		Subprotocols:       []string{signaling.Subprotocol},
		InsecureSkipVerify: true, // checkOrigin has done it, for every request
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		s.metrics.refused.WithLabelValues(refusedProtocol).Inc()
		return // Accept has answered
	}
	newConn(s, ws, w.raw, signaling.CanonicalHost(c.Request.Host), addr).serve(s.done)
}

// prefixes reads networks and single addresses.
func prefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range list {
		if ip, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network: %w", text, err)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func offersSubprotocol(r *http.Request) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			if strings.TrimSpace(p) == signaling.Subprotocol {
				return true
			}
		}
	}
	return false
}

// hijackWriter keeps hold of the connection under a WebSocket, whose own closing
// handshake a hostile client could draw out for ever.
type hijackWriter struct {
	gin.ResponseWriter
	raw net.Conn
}

// Hijack implements http.Hijacker. It lifts the deadlines that the HTTP server
// may have set.
func (w *hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := w.ResponseWriter.Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.raw = conn
	return conn, rw, conn.SetDeadline(time.Time{})
}

func clientIP(c *gin.Context) netip.Addr {
	ip, err := netip.ParseAddr(c.ClientIP())
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap()
}
