package pollers

import (
	"context"
	"errors"
	"time"

	"watchword/bus"
	"watchword/bus/event"
)

// maxBatchBytes bounds one batch. A page that is larger goes in several, each
// with a marker that stays where it was until the last.
const maxBatchBytes = 16 << 20

// store commits the entries with the marker next last, in as many batches as
// needed, and learns what is stored. late counts new events as such. With an
// error the state is what the last batch that was stored left.
func (f *feed) store(ctx context.Context, entries []entry, next event.Progress, late bool) error {
	batches := split(entries)
	for i, b := range batches {
		marker := next
		if i < len(batches)-1 {
			marker = f.marker
			marker.Counts.Known = next.Counts.Known
			if marker.First.IsZero() {
				marker.First, marker.Start, marker.Account = next.First, next.Start, next.Account
			}
		}
		marker.Counts = count(f.marker.Counts, b, late)
		marker.Counts.Known = next.Counts.Known
		if err := f.commit(ctx, b, marker); err != nil {
			return err
		}
	}
	f.known.forget(f.horizon(f.marker, f.config.Now()))
	return nil
}

// split cuts the entries into batches. There is always at least one, for the marker.
func split(entries []entry) [][]entry {
	batches, messages, size := [][]entry{nil}, 0, 0
	for _, e := range entries {
		bytes := 0
		for _, m := range e.msgs {
			bytes += len(m.Data)
		}
		last := len(batches) - 1
		if len(batches[last]) > 0 && (messages+len(e.msgs) > bus.MaxBatch-1 || size+bytes > maxBatchBytes) {
			batches, messages, size = append(batches, nil), 0, 0
			last++
		}
		batches[last] = append(batches[last], e)
		messages, size = messages+len(e.msgs), size+bytes
	}
	return batches
}

func count(c event.Counts, entries []entry, late bool) event.Counts {
	for _, e := range entries {
		switch {
		case e.part:
			continue
		case e.aside:
			c.Quarantined++
			continue
		case e.suspect:
			c.Suspect++
		}
		c.Events++
		if late {
			c.Late++
		}
	}
	return c
}

// commit publishes one batch, fenced by the marker we know. A full stream, and
// any failure after which surely nothing is stored, is tried again until it is
// over: the page stays in memory, intake stands still, and the status says so.
// bus.ErrFenced and bus.ErrUnavailable are the caller's to handle.
func (f *feed) commit(ctx context.Context, entries []entry, marker event.Progress) error {
	msgs, err := messages(entries, marker)
	if err != nil {
		return err
	}
	fence := bus.Fence{Subject: bus.ProgressSubject(f.source.Name, f.name), Last: f.fence}
	for {
		seq, err := f.bus.Commit(ctx, bus.Events, fence, msgs)
		switch {
		case err == nil:
			f.fence, f.marker, f.known.seq = seq, marker, seq
			f.known.take(entries)
			if f.trouble.bus {
				f.well()
			}
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, bus.ErrFenced), errors.Is(err, bus.ErrUnavailable):
			return err
		}
		f.busTrouble(err)
		if err := f.idle(ctx, min(f.waits.NextBackOff(), mostBusWait)); err != nil {
			return err
		}
	}
}

// mostBusWait is how soon after space was made the intake goes on at the latest.
const mostBusWait = 15 * time.Second

func messages(entries []entry, marker event.Progress) ([]bus.Message, error) {
	var msgs []bus.Message
	for _, e := range entries {
		msgs = append(msgs, e.msgs...)
	}
	data, err := marker.Encode()
	if err != nil {
		return nil, err
	}
	return append(msgs, bus.Message{
		Subject: bus.ProgressSubject(marker.Source, marker.Feed), Data: data, Rollup: true, Keep: true,
	}), nil
}
