package nvr

import "github.com/sightline-cam/sightline/camera/agent"

// remoteMetrics are those of agents elsewhere.
func (n *NVR) remoteMetrics() []agent.Metric {
	if len(n.remotes) == 0 {
		return nil
	}
	connected := agent.Metric{Name: "sightline_remote_connected", Kind: "gauge", Help: "1 while the agent elsewhere is connected."}
	recording := agent.Metric{Name: "sightline_remote_recording", Kind: "gauge", Help: "1 while live pictures of the agent's camera are being written."}
	verified := agent.Metric{Name: "sightline_remote_verified", Kind: "gauge", Help: "1 while the agent says what it has, so that nothing is lost."}
	behind := agent.Metric{Name: "sightline_remote_behind_seconds", Kind: "gauge", Help: "How far the recording is behind."}
	fragments := agent.Metric{Name: "sightline_remote_fragments_total", Kind: "counter", Help: "Groups of pictures written as they came live, since the start."}
	repaired := agent.Metric{Name: "sightline_remote_repaired_total", Kind: "counter", Help: "Groups of pictures that had to be fetched at once, since the start."}
	missing := agent.Metric{Name: "sightline_remote_missing", Kind: "gauge", Help: "Groups of pictures that are still to be fetched in the background."}
	missingBytes := agent.Metric{Name: "sightline_remote_missing_bytes", Kind: "gauge", Help: "Bytes that are still to be fetched in the background."}
	backfilled := agent.Metric{Name: "sightline_remote_backfilled_bytes_total", Kind: "counter", Help: "Bytes fetched in the background, since the start."}
	gone := agent.Metric{Name: "sightline_remote_gone_total", Kind: "counter", Help: "Groups of pictures that the agent did not have any more when they were to be fetched, since the start."}
	for _, a := range n.remotes {
		st := a.remote.Status()
		peer := string(a.opts.Peer)
		connected.Samples = append(connected.Samples, agent.Sample{Labels: []string{"agent", peer}, Value: oneIf(st.Connected)})
		for _, s := range st.Streams {
			labels := []string{"agent", peer, "camera", s.Camera, "rendition", s.Rendition}
			add := func(m *agent.Metric, v float64) {
				m.Samples = append(m.Samples, agent.Sample{Labels: labels, Value: v})
			}
			add(&recording, oneIf(s.Recording))
			add(&verified, oneIf(s.Verified))
			add(&behind, s.Behind.Seconds())
			add(&fragments, float64(s.Fragments))
			add(&repaired, float64(s.Repaired))
			add(&missing, float64(s.Missing))
			add(&missingBytes, float64(s.MissingBytes))
			add(&backfilled, float64(s.BackfilledBytes))
			add(&gone, float64(s.Gone))
		}
	}
	return []agent.Metric{connected, recording, verified, behind, fragments, repaired, missing, missingBytes, backfilled, gone}
}
