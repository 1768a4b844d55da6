package agent

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/check"
)

// metrics counts what nothing else does. Safe for concurrent use.
type metrics struct {
	started time.Time // constant

	mu       sync.Mutex // guards what follows; the keys are few and fixed
	requests map[requestClass]uint64
	offers   map[string]uint64
	messages map[string]uint64
	refusals map[check.Name]uint64
	claims   map[claimClass]uint64
}

// claimClass is what a claim was for and what became of it.
type claimClass struct{ kind, result string }

// requestClass is the way a request came and the first digit of its status.
type requestClass struct {
	via   transport
	class int
}

func newMetrics() *metrics {
	return &metrics{
		started: time.Now(), requests: map[requestClass]uint64{},
		offers: map[string]uint64{}, messages: map[string]uint64{},
		refusals: map[check.Name]uint64{}, claims: map[claimClass]uint64{},
	}
}

func (m *metrics) request(via transport, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[requestClass{via, status / 100}]++
}

func (m *metrics) offer(result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offers[result]++
}

func (m *metrics) message(result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages[result]++
}

// refused counts an error by the check that it comes from, if it names one.
func (m *metrics) refused(err error) {
	name, ok := check.Of(err)
	if !ok {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refusals[name]++
}

func (m *metrics) claim(kind, result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claims[claimClass{kind, result}]++
}

// getMetrics answers GET /metrics in Prometheus' text format 0.0.4. With open
// access or for a scraper on this machine only: the numbers tell when somebody
// watches.
//
// Prometheus' client library would add 2.4 MB to a program that has to fit
// into a camera's flash.
func (a *Agent) getMetrics(w http.ResponseWriter, r *http.Request) {
	if !a.opts.Open && !fromLoopback(r) {
		fail(http.StatusForbidden, "forbidden", "Metrics are served to this machine only. Scrape them from it.").write(w)
		return
	}
	var out metricsText
	a.cameraMetrics(&out)
	a.sessionMetrics(&out)
	a.metrics.write(&out)
	a.extraMetrics(&out)
	out.metric("sightline_goroutines", "gauge", "Goroutines of the process.", sample{value: float64(runtime.NumGoroutine())})
	out.metric("sightline_build_info", "gauge", "Always 1; the label has the version.",
		sample{labels: []string{"version", a.opts.Version}, value: 1})
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(out.buf.Bytes()) // the scraper is gone
}

// fromLoopback reports whether a program on this machine asks for itself: a
// reverse proxy says that it asks for somebody else.
func fromLoopback(r *http.Request) bool {
	for _, field := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(field) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (a *Agent) cameraMetrics(out *metricsText) {
	var up, units, viewers []sample
	for _, c := range a.cameras.order {
		for i := range c.Renditions() {
			live := 0.0
			if c.RenditionStatus(i).State == camera.Live {
				live = 1
			}
			up = append(up, sample{[]string{"camera", c.ID(), "rendition", strconv.Itoa(i)}, live})
		}
		units = append(units, sample{[]string{"camera", c.ID()}, float64(c.Units())})
		viewers = append(viewers, sample{[]string{"camera", c.ID()}, float64(c.Viewers())})
	}
	out.metric("sightline_camera_live", "gauge", "1 while the rendition delivers pictures.", up...)
	out.metric("sightline_camera_units_total", "counter", "Coded frames received from the camera.", units...)
	out.metric("sightline_camera_viewers", "gauge", "Viewers of the camera's picture.", viewers...)
}

func (a *Agent) sessionMetrics(out *metricsText) {
	t := a.sessions.totals()
	via := func(o origin) []string { return []string{"via", string(o)} }
	var open, opened []sample
	for _, o := range []origin{viaSignaling, viaWHEP, viaClaim} {
		open = append(open, sample{via(o), float64(t.Open[o])})
		opened = append(opened, sample{via(o), float64(t.Opened[o])})
	}
	out.metric("sightline_sessions", "gauge", "Sessions by how they were introduced.", open...)
	out.metric("sightline_sessions_opened_total", "counter", "Sessions opened.", opened...)
	out.metric("sightline_sessions_relayed", "gauge", "Sessions whose path goes over a relay.", sample{value: float64(t.Relayed)})
	out.metric("sightline_sessions_refused_total", "counter", "Offers refused because too many were watching.", sample{value: float64(t.Refused)})
	out.metric("sightline_sessions_evicted_total", "counter", "Sessions that made room for a newer one of the same viewer.", sample{value: float64(t.Evicted)})
	out.metric("sightline_sent_packets_total", "counter", "RTP packets sent.", sample{value: float64(t.Sent.Packets)})
	out.metric("sightline_sent_bytes_total", "counter", "RTP payload bytes sent.", sample{value: float64(t.Sent.Octets)})
	out.metric("sightline_sent_frames_total", "counter", "Frames sent.", sample{value: float64(t.Sent.Frames)})
	out.metric("sightline_dropped_frames_total", "counter", "Frames not sent because a viewer's path or pace did not allow it.", sample{value: float64(t.Sent.Dropped)})
	out.metric("sightline_retransmitted_packets_total", "counter", "RTP packets sent again.", sample{value: float64(t.Sent.Retransmitted)})
	online := 0.0
	if a.online.Load() {
		online = 1
	}
	out.metric("sightline_signaling_online", "gauge", "1 while registered at the signaling server.", sample{value: online})
}

func (m *metrics) write(out *metricsText) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var requests []sample
	for k, n := range m.requests {
		requests = append(requests, sample{[]string{"via", k.via.String(), "status", strconv.Itoa(k.class) + "xx"}, float64(n)})
	}
	sortSamples(requests)
	out.metric("sightline_http_requests_total", "counter", "API requests answered.", requests...)
	out.metric("sightline_offers_total", "counter", "Offers through signaling by what became of them.", byResult(m.offers)...)
	out.metric("sightline_signaling_messages_total", "counter", "Other messages through signaling by what became of them.", byResult(m.messages)...)
	var refusals, claims []sample
	for _, name := range slices.Sorted(maps.Keys(m.refusals)) {
		refusals = append(refusals, sample{[]string{"check", string(name)}, float64(m.refusals[name])})
	}
	for c, n := range m.claims {
		claims = append(claims, sample{[]string{"kind", c.kind, "result", c.result}, float64(n)})
	}
	sortSamples(claims)
	out.metric("sightline_refused_total", "counter", "What was refused, by the check that refused it.", refusals...)
	out.metric("sightline_claims_total", "counter", "Secrets shown to become an owner or a guest, by what became of them.", claims...)
	out.metric("sightline_start_time_seconds", "gauge", "When the agent started, Unix time.",
		sample{value: float64(m.started.UnixMilli()) / 1e3})
}

// sortSamples sorts by labels. (slices.SortFunc is compiled for each type anew,
// 15 KB for this one.)
func sortSamples(s []sample) {
	sort.Slice(s, func(i, j int) bool { return slices.Compare(s[i].labels, s[j].labels) < 0 })
}

func byResult(counts map[string]uint64) []sample {
	var out []sample
	for _, result := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, sample{[]string{"result", result}, float64(counts[result])})
	}
	return out
}

// metricsText writes Prometheus' text format.
type metricsText struct{ buf bytes.Buffer }

// sample is one line: label names and values in turn, and the value.
type sample struct {
	labels []string
	value  float64
}

// metric writes one metric; nothing without samples.
func (t *metricsText) metric(name, kind, help string, samples ...sample) {
	if len(samples) == 0 {
		return
	}
	fmt.Fprintf(&t.buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	for _, s := range samples {
		t.buf.WriteString(name)
		for i := 0; i+1 < len(s.labels); i += 2 {
			sep := ","
			if i == 0 {
				sep = "{"
			}
			fmt.Fprintf(&t.buf, `%s%s="%s"`, sep, s.labels[i], escape.Replace(s.labels[i+1]))
		}
		if len(s.labels) > 0 {
			t.buf.WriteByte('}')
		}
		t.buf.WriteString(" " + strconv.FormatFloat(s.value, 'g', -1, 64) + "\n")
	}
}
