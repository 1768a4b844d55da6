package timebase

import "time"

const (
	delayBuckets = 8
	bucketLength = 8 * int64(time.Second)
)

// delayFilter finds how long units take at least: the least difference between
// arrival and media time of about the last minute. What is late, in a burst, behind
// a large key frame or a lost packet, does not count.
type delayFilter struct {
	buckets [delayBuckets]bucket // a ring, by number
	any     bool
}

type bucket struct {
	number int64 // of the stretch of elapsed time
	least  int64
	used   bool
}

func (f *delayFilter) reset() { *f = delayFilter{} }

func (f *delayFilter) empty() bool { return !f.any }

// add takes in the delay of a unit that came at the elapsed time.
func (f *delayFilter) add(elapsed, delay int64) {
	f.any = true
	number := elapsed / bucketLength
	b := &f.buckets[uint64(number)%delayBuckets]
	if !b.used || b.number != number {
		*b = bucket{number: number, least: delay, used: true}
	}
	b.least = min(b.least, delay)
	for i := range f.buckets {
		if o := &f.buckets[i]; o.used && (o.number > number || number-o.number >= delayBuckets) {
			o.used = false
		}
	}
}

// least returns the least delay. The filter must not be empty.
func (f *delayFilter) least() int64 {
	least, found := int64(0), false
	for _, b := range f.buckets {
		if b.used && (!found || b.least < least) {
			least, found = b.least, true
		}
	}
	return least
}
