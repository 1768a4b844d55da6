package nvr

import (
	"context"
	"time"

	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/recordings/retention"
)

// metricsTime bounds asking the index for a scraper.
const metricsTime = 2 * time.Second

// Metrics are what the agent adds to GET /metrics.
func (n *NVR) Metrics() []agent.Metric {
	out := append(n.recorderMetrics(), n.remoteMetrics()...)
	ctx, cancel := context.WithTimeout(context.Background(), metricsTime)
	defer cancel()
	disks, err := n.store.Disks(ctx)
	if err != nil {
		return out
	}
	usable := agent.Metric{Name: "sightline_disk_usable", Kind: "gauge", Help: "1 while recordings can be written to the directory."}
	free := agent.Metric{Name: "sightline_disk_free_bytes", Kind: "gauge", Help: "Room left on the directory's file system."}
	used := agent.Metric{Name: "sightline_disk_recordings_bytes", Kind: "gauge", Help: "Bytes of recordings in the directory."}
	for _, d := range disks {
		labels := []string{"path", d.Path}
		usable.Samples = append(usable.Samples, agent.Sample{Labels: labels, Value: oneIf(d.Usable)})
		free.Samples = append(free.Samples, agent.Sample{Labels: labels, Value: float64(d.Free)})
		used.Samples = append(used.Samples, agent.Sample{Labels: labels, Value: float64(d.Used)})
	}
	return append(append(out, usable, free, used), n.retentionMetrics()...)
}

func (n *NVR) retentionMetrics() []agent.Metric {
	segments := agent.Metric{Name: "sightline_retention_deleted_total", Kind: "counter", Help: "Recordings deleted, by reason."}
	bytes := agent.Metric{Name: "sightline_retention_deleted_bytes_total", Kind: "counter", Help: "Bytes of recordings deleted, by reason."}
	st := n.keeper.Status()
	for _, r := range []retention.Reason{retention.TooOld, retention.TooMuch, retention.NoRoom} {
		labels := []string{"reason", string(r)}
		segments.Samples = append(segments.Samples, agent.Sample{Labels: labels, Value: float64(st.Segments[r])})
		bytes.Samples = append(bytes.Samples, agent.Sample{Labels: labels, Value: float64(st.Bytes[r])})
	}
	emergency := agent.Metric{Name: "sightline_retention_emergency", Kind: "gauge",
		Help: "1 while a disk is almost full although recordings are being deleted.", Samples: []agent.Sample{{Value: oneIf(st.Emergency)}}}
	return []agent.Metric{segments, bytes, emergency}
}

func (n *NVR) recorderMetrics() []agent.Metric {
	recording := agent.Metric{Name: "sightline_recording", Kind: "gauge", Help: "1 while the rendition is being recorded."}
	bytes := agent.Metric{Name: "sightline_recorded_bytes_total", Kind: "counter", Help: "Bytes written, since the start."}
	frames := agent.Metric{Name: "sightline_recorded_frames_total", Kind: "counter", Help: "Pictures written, since the start."}
	lost := agent.Metric{Name: "sightline_recorder_lost_frames_total", Kind: "counter", Help: "Pictures that came and were not written, because the disk or this machine was too slow, full or broken."}
	queue := agent.Metric{Name: "sightline_recorder_queue_bytes", Kind: "gauge", Help: "Bytes that wait for the disk."}
	durable := agent.Metric{Name: "sightline_recording_durable_seconds", Kind: "gauge", Help: "Up to when the recording is safe from a power cut, in seconds since the Unix epoch."}
	for _, s := range n.recorder.Status() {
		labels := []string{"camera", s.Camera, "rendition", s.Rendition}
		add := func(m *agent.Metric, v float64) {
			m.Samples = append(m.Samples, agent.Sample{Labels: labels, Value: v})
		}
		add(&recording, oneIf(s.Recording))
		add(&bytes, float64(s.Bytes))
		add(&frames, float64(s.Frames))
		add(&lost, float64(s.FramesLost))
		add(&queue, float64(s.QueueBytes))
		if until := n.store.Durable(streamOf(s)); until > 0 {
			add(&durable, float64(until)/1e6)
		}
	}
	return []agent.Metric{recording, bytes, frames, lost, queue, durable}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
