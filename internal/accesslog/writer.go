package accesslog

import "fmt"

// run is the one writer: whatever waits is written and synced together.
func (l *Log) run() {
	defer close(l.done)
	for {
		select {
		case e := <-l.queue:
			l.write(l.waitingEntries(e))
		case flushed := <-l.flushes:
			l.writeQueue()
			close(flushed)
		case <-l.closing:
			l.writeQueue()
			return
		}
		// Nothing may follow for long: say now what was lost meanwhile.
		if l.waiting.Load() > 0 && !l.failing {
			l.write(l.waitingEntries())
		}
	}
}

func (l *Log) writeQueue() {
	if batch := l.waitingEntries(); len(batch) > 0 || l.waiting.Load() > 0 {
		l.write(batch)
	}
}

// waitingEntries returns first and what is in the queue.
func (l *Log) waitingEntries(first ...Entry) []Entry {
	batch := first
	for len(batch) < queueLength {
		select {
		case e := <-l.queue:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// write makes a batch durable, or counts it as lost.
func (l *Log) write(batch []Entry) {
	lost := l.waiting.Swap(0)
	entries := batch
	if lost > 0 {
		what := fmt.Sprintf("%d entries could not be written", lost)
		entries = append([]Entry{Entry{Kind: Lost, Time: l.options.Now(), What: what}.cut()}, batch...)
	}
	head := l.Head()
	seq := head.Seq + 1
	lines := make([][]byte, 0, len(entries))
	for _, e := range entries {
		line, next := e.line(head)
		lines = append(lines, line)
		head = next
	}
	err := l.store.append(seq, lines)
	if err == nil {
		l.head.Store(&head)
	} else {
		l.waiting.Add(lost)
		l.lose(int64(len(batch)))
	}
	if failing := err != nil; failing != l.failing {
		l.failing = failing
		if failing {
			l.options.Logger.Error("the access log cannot be written; make room on the disk, or replace it", "error", err)
		} else {
			l.options.Logger.Info("the access log can be written again")
		}
	}
}
