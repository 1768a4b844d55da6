package index

import (
	"context"

	"github.com/sightline-cam/sightline/recordings"
)

// streamsQuery reads one row for each generation of each stream, the newest last:
// two seeks beside the totals.
const streamsQuery = `
SELECT n.key, n.camera, n.rendition, t.segments, t.bytes,
	(SELECT f.start FROM segments f WHERE f.stream = t.stream AND f.generation = t.generation AND f.flags < 2 ORDER BY f.start LIMIT 1),
	l.start + l.length, l.format
FROM (SELECT stream, generation, sum(segments) AS segments, sum(bytes) AS bytes FROM totals GROUP BY stream, generation) t
CROSS JOIN streams n ON n.key = t.stream
CROSS JOIN segments l ON l.stream = t.stream AND l.generation = t.generation AND l.start =
	(SELECT m.start FROM segments m WHERE m.stream = t.stream AND m.generation = t.generation AND m.flags < 2 ORDER BY m.start DESC LIMIT 1)
ORDER BY n.camera, n.rendition, t.generation`

// Streams sums up every stream that has segments, by camera and rendition. Durable
// is the end of what the index knows.
func (x *Index) Streams(ctx context.Context) (streams []recordings.StreamInfo, err error) {
	err = x.view(ctx, "list streams", func(v *view) error {
		streams, err = v.streams(x.names)
		return err
	})
	return streams, err
}

func (v *view) streams(n *names) (streams []recordings.StreamInfo, err error) {
	open := map[int64]bool{}
	err = v.each(`SELECT stream FROM segments INDEXED BY segments_flags WHERE flags <> 0 AND flags = ?`, []any{flagOpen}, func(scan scan) error {
		var key int64
		err := scan(&key)
		open[key] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	var formats []int64
	err = v.each(streamsQuery, nil, func(scan scan) error {
		var g recordings.StreamInfo
		var key, from, to, format int64
		if err := scan(&key, &g.Camera, &g.Rendition, &g.Segments, &g.Bytes, &from, &to, &format); err != nil {
			return err
		}
		g.From, g.To = recordings.Time(from), recordings.Time(to)
		g.Recording = open[key]
		if n := len(streams); n > 0 && streams[n-1].Stream == g.Stream {
			older := streams[n-1]
			g.Segments, g.Bytes = g.Segments+older.Segments, g.Bytes+older.Bytes
			g.From, g.To = min(g.From, older.From), max(g.To, older.To)
			streams, formats = streams[:n-1], formats[:n-1]
		}
		g.Durable = g.To
		streams, formats = append(streams, g), append(formats, format)
		return nil
	})
	for i := 0; err == nil && i < len(streams); i++ {
		streams[i].Format, err = v.format(n, formats[i])
	}
	return streams, err
}
