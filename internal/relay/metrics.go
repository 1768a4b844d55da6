package relay

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Reasons of dropped packets beside those of refusals.
const (
	droppedThrottled   = "throttled"
	droppedDestination = "destination"
	droppedStranger    = "no_permission"
	droppedFrame       = "malformed_frame"
)

// Directions of relayed packets.
const (
	toPeer   = "to_peer"
	toClient = "to_client"
)

// metrics are the relay's counters. No label ever comes from a client.
type metrics struct {
	allocations prometheus.Gauge
	connections prometheus.Gauge
	allocated   *prometheus.CounterVec // transport
	refused     *prometheus.CounterVec // reason
	dropped     *prometheus.CounterVec // reason
	auth        *prometheus.CounterVec // result
	bindings    prometheus.Counter
	forbidden   prometheus.Counter

	// by direction, looked up once
	toPeer, toClient traffic
}

// traffic counts one direction.
type traffic struct{ packets, bytes prometheus.Counter }

func (t traffic) add(n int) {
	t.packets.Inc()
	t.bytes.Add(float64(n))
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "sightline", Subsystem: "relay", Name: name, Help: help})
	}
	options := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "sightline", Subsystem: "relay", Name: name, Help: help}
	}
	vector := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(options(name, help), []string{label})
	}
	packets := vector("packets_total", "Packets relayed, by direction.", "direction")
	bytes := vector("bytes_total", "Bytes of payload relayed, by direction.", "direction")
	m := &metrics{
		allocations: gauge("allocations", "Allocations that exist."),
		connections: gauge("connections", "TCP connections that are open."),
		allocated:   vector("allocated_total", "Allocations made, by the transport of the client.", "transport"),
		refused:     vector("refused_total", "Allocations refused, by reason.", "reason"),
		dropped:     vector("dropped_total", "Packets not relayed or not answered, by reason.", "reason"),
		auth:        vector("authentications_total", "Requests with credentials, by result.", "result"),
		bindings:    prometheus.NewCounter(options("bindings_total", "STUN Binding requests answered over UDP.")),
		forbidden:   prometheus.NewCounter(options("forbidden_total", "Permissions refused because of the address of the peer.")),
		toPeer:      traffic{packets.WithLabelValues(toPeer), bytes.WithLabelValues(toPeer)},
		toClient:    traffic{packets.WithLabelValues(toClient), bytes.WithLabelValues(toClient)},
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.allocations, m.connections, m.allocated, m.refused, m.dropped, m.auth, m.bindings, m.forbidden, packets, bytes,
	} {
		errs = append(errs, r.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("register the relay's metrics: %w", err)
	}
	m.showZeros()
	return m, nil
}

// showZeros creates every label, so that a rate can be computed from the first
// event on.
func (m *metrics) showZeros() {
	for _, t := range []transport{overUDP, overTCP, overTLS} {
		m.allocated.WithLabelValues(string(t))
	}
	for _, r := range []string{refusedAllocations, refusedTotal, refusedBudget, refusedTotalBudget} {
		m.refused.WithLabelValues(r)
	}
	for _, r := range []string{
		refusedBudget, refusedTotalBudget, refusedRate, droppedThrottled, droppedDestination, droppedStranger, droppedFrame,
	} {
		m.dropped.WithLabelValues(r)
	}
	for _, r := range []string{authAccepted, authRefused} {
		m.auth.WithLabelValues(r)
	}
}
