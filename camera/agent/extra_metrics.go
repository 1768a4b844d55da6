package agent

// Metric is one that the process adds to GET /metrics.
type Metric struct {
	// Name is the whole name, Kind "counter" or "gauge", Help a sentence.
	Name, Kind, Help string
	Samples          []Sample
}

// Sample is one value of a Metric.
type Sample struct {
	// Labels are names and values in turn.
	Labels []string
	Value  float64
}

// extraMetrics writes what the process adds.
func (a *Agent) extraMetrics(out *metricsText) {
	if a.opts.Metrics == nil {
		return
	}
	for _, m := range a.opts.Metrics() {
		samples := make([]sample, 0, len(m.Samples))
		for _, s := range m.Samples {
			samples = append(samples, sample{s.Labels, s.Value})
		}
		out.metric(m.Name, m.Kind, m.Help, samples...)
	}
}
