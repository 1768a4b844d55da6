package verify

import (
	"context"
	"fmt"

	"github.com/Eyevinn/mp4ff/mp4"
)

// table reads the samples that the tables of the track describe (ISO/IEC 14496-12
// §8.6, §8.7). A file of fragments has none.
func (m *movie) table(ctx context.Context) error {
	stbl := m.track.trak.Mdia.Minf.Stbl
	if stbl.Stsz == nil || stbl.Stsz.SampleNumber == 0 {
		if stbl.Stsz == nil || stbl.Stsc != nil && len(stbl.Stsc.Entries) > 0 || stbl.Stts != nil && len(stbl.Stts.SampleCount) > 0 {
			m.audit.fault(tables)
		}
		return nil
	}
	if stbl.Stsc == nil || stbl.Stts == nil || len(stbl.Stsc.Entries) == 0 {
		return fmt.Errorf("the tables of the video are not complete: %w", ErrFormat)
	}
	var offsets []uint64
	switch {
	case stbl.Stco != nil:
		for _, o := range stbl.Stco.ChunkOffset {
			offsets = append(offsets, uint64(o))
		}
	case stbl.Co64 != nil:
		offsets = stbl.Co64.ChunkOffset
	}
	times := timeTable{stts: stbl.Stts, ctts: stbl.Ctts}
	n, entry := uint32(0), 0
	if !m.agree(offsets) {
		m.audit.fault(tables)
	}
	for chunk, offset := range offsets {
		for entry+1 < len(stbl.Stsc.Entries) && uint32(chunk+1) >= stbl.Stsc.Entries[entry+1].FirstChunk {
			entry++
		}
		// The library counts entries of the table there, not chunks.
		if err := m.use(stbl.Stsc.GetSampleDescriptionID(entry + 1)); err != nil {
			return err
		}
		at := int64(min(offset, uint64(m.size)))
		for range stbl.Stsc.Entries[entry].SamplesPerChunk {
			if n == stbl.Stsz.SampleNumber {
				break
			}
			size := int64(stbl.Stsz.SampleUniformSize)
			if size == 0 {
				size = int64(stbl.Stsz.SampleSize[n])
			}
			n++
			duration, shift := times.next()
			if m.progress != nil {
				m.progress(at, m.size)
			}
			if err := m.sample(ctx, at, size, shift, duration); err != nil {
				return err
			}
			at += size
			m.decode += duration
		}
	}
	return nil
}

const tables = "The tables of the video do not agree with one another; players differ in what they make of them."

// agree reports whether the tables describe the same samples.
func (m *movie) agree(chunks []uint64) bool {
	stbl := m.track.trak.Mdia.Minf.Stbl
	var timed, shifted, placed uint64
	for _, n := range stbl.Stts.SampleCount {
		timed += uint64(n)
	}
	if c := stbl.Ctts; c != nil && len(c.EndSampleNr) > 0 {
		shifted = uint64(c.EndSampleNr[len(c.EndSampleNr)-1])
	}
	all := uint64(stbl.Stsz.SampleNumber)
	for i, e := range stbl.Stsc.Entries {
		next := uint64(len(chunks)) + 1
		if i+1 < len(stbl.Stsc.Entries) {
			next = uint64(stbl.Stsc.Entries[i+1].FirstChunk)
		}
		if i == 0 && e.FirstChunk != 1 || next <= uint64(e.FirstChunk) || next > uint64(len(chunks))+1 || e.SamplesPerChunk == 0 {
			return false
		}
		if placed += (next - uint64(e.FirstChunk)) * uint64(e.SamplesPerChunk); placed > all {
			return false
		}
	}
	return timed == all && placed == all && (stbl.Ctts == nil || shifted == all)
}

// timeTable goes through the times of samples.
type timeTable struct {
	stts *mp4.SttsBox
	ctts *mp4.CttsBox
	// run and in are the run of equal durations, and how many of it were used;
	// shift is the run of equal offsets, n counts samples.
	run, shift int
	in, n      uint32
}

// next returns the duration of the next sample and by how much it is shown after
// it is decoded.
func (t *timeTable) next() (duration, offset int64) {
	for t.run < len(t.stts.SampleCount) && t.in >= t.stts.SampleCount[t.run] {
		t.run++
		t.in = 0
	}
	if t.run < len(t.stts.SampleCount) {
		duration = int64(t.stts.SampleTimeDelta[t.run])
		t.in++
	}
	t.n++
	if t.ctts != nil {
		for t.shift < len(t.ctts.SampleOffset) && t.n > t.ctts.EndSampleNr[t.shift+1] {
			t.shift++
		}
		if t.shift < len(t.ctts.SampleOffset) {
			offset = int64(t.ctts.SampleOffset[t.shift])
		}
	}
	return duration, offset
}
