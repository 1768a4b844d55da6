package recorder

import (
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// maxSound bounds the units of sound that wait for their picture: half a minute of
// the usual 20 ms.
const maxSound = 1500

// soundQueue holds the sound that no fragment has yet. Beyond maxSound, and what came
// with the last pictures, the oldest goes.
type soundQueue struct{ units []*codecs.Unit }

// add adds units, and returns how many were dropped.
func (q *soundQueue) add(units []*codecs.Unit) (dropped int) {
	q.units = append(q.units, units...)
	dropped = max(len(q.units)-max(maxSound, len(units)), 0)
	q.drop(dropped)
	return dropped
}

// until returns the units at the front that were captured before then.
func (q *soundQueue) until(end recordings.Time) []*codecs.Unit {
	for i, u := range q.units {
		if recordings.Time(u.At) >= end {
			return q.units[:i]
		}
	}
	return q.units
}

// drop removes n units at the front.
func (q *soundQueue) drop(n int) {
	left := copy(q.units, q.units[n:])
	clear(q.units[left:])
	q.units = q.units[:left]
}

func (q *soundQueue) clear() { q.drop(len(q.units)) }
