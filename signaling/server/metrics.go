package server

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/signaling"
)

// Reasons of refusals. Where a check of package check refuses, it is the check's
// name.
const (
	// Before a WebSocket exists.
	refusedHost     = string(check.Host)
	refusedOrigin   = string(check.Origin)
	refusedProtocol = "protocol"
	refusedAddress  = "address_limit"
	refusedTotal    = "total_limit"
	refusedClosing  = "closing"
	refusedHeldOff  = "held_off"
	refusedWaiting  = string(check.Connections)
	// On a WebSocket.
	refusedProof = string(check.Registration)
	refusedForm  = string(check.Form)
	refusedRate  = string(check.Rate)
	refusedMute  = "silence"
)

func refusals() []string {
	return []string{
		refusedHost, refusedOrigin, refusedProtocol, refusedAddress, refusedTotal, refusedClosing, refusedHeldOff, refusedWaiting,
		refusedProof, refusedForm, refusedRate, refusedMute,
	}
}

// offences are the refusals that can get an address held off.
func offences() []string {
	return []string{refusedHost, refusedOrigin, refusedAddress, refusedProof, refusedForm, refusedRate, refusedMute, refusedHeldOff}
}

// metrics are the server's counters. No label ever comes from a client.
type metrics struct {
	connections prometheus.Gauge
	registered  prometheus.Gauge
	frames      *prometheus.CounterVec // type
	errors      *prometheus.CounterVec // code
	refused     *prometheus.CounterVec // reason
	holdOffs    *prometheus.CounterVec // reason
	delivered   prometheus.Counter
	held        prometheus.Counter
	expired     prometheus.Counter
	resumed     prometheus.Counter
	slow        prometheus.Counter
	panics      prometheus.Counter
}

func newMetrics(r *prometheus.Registry) (*metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "sightline", Subsystem: "signaling", Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "sightline", Subsystem: "signaling", Name: name, Help: help})
	}
	vector := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "sightline", Subsystem: "signaling", Name: name, Help: help}, []string{label})
	}
	m := &metrics{
		connections: gauge("connections", "WebSockets that are open."),
		registered:  gauge("registered_peers", "Peers that are registered."),
		frames:      vector("frames_total", "Frames received, by type.", "type"),
		errors:      vector("errors_total", "Errors answered, by code.", "code"),
		refused:     vector("refused_total", "Requests, registrations and connections refused, by reason.", "reason"),
		holdOffs:    vector("hold_offs_total", "Addresses and peers held off, by the reason of the last offence.", "reason"),
		delivered:   counter("messages_delivered_total", "Messages queued for a connected receiver."),
		held:        counter("messages_held_total", "Messages held for a receiver that lost its connection."),
		expired:     counter("messages_expired_total", "Held messages that nobody came back for."),
		resumed:     counter("resumed_total", "Registrations that resumed a lost connection."),
		slow:        counter("slow_consumers_total", "Connections closed because they read too slowly."),
		panics:      counter("panics_total", "Requests that ended in a panic."),
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.connections, m.registered, m.frames, m.errors, m.refused, m.holdOffs, m.delivered,
		m.held, m.expired, m.resumed, m.slow, m.panics,
	} {
		errs = append(errs, r.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("register the signaling metrics: %w", err)
	}
	m.showZeros()
	return m, nil
}

// showZeros creates every label, so that a rate can be computed from the first
// event on.
func (m *metrics) showZeros() {
	for _, t := range []signaling.FrameType{signaling.FrameRegister, signaling.FrameSend, signaling.FrameLookup, signaling.FrameRelay} {
		m.frames.WithLabelValues(string(t))
	}
	for _, c := range []signaling.ErrorCode{
		signaling.CodeBadMessage, signaling.CodeUnauthenticated, signaling.CodeUnreachable, signaling.CodeRateLimited,
		signaling.CodeTooLarge, signaling.CodeServerBusy, signaling.CodeDisplaced,
		signaling.CodeForbidden, signaling.CodeUnsupported,
	} {
		m.errors.WithLabelValues(string(c))
	}
	for _, r := range refusals() {
		m.refused.WithLabelValues(r)
	}
	for _, r := range offences() {
		m.holdOffs.WithLabelValues(r)
	}
}
