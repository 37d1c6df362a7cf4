package pollers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchword/bus"
	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

// recall reads the feed's state from EVENTS: the marker first, then every id
// that may be behind it. Whatever another poller writes in between moves the
// marker, and our next commit is fenced.
func (f *feed) recall(ctx context.Context) error {
	f.show("reading what is stored")
	subject := bus.ProgressSubject(f.source.Name, f.name)
	marker, fence := event.Progress{Source: f.source.Name, Feed: f.name}, uint64(0)
	stored, err := f.bus.Last(ctx, bus.Events, subject)
	switch {
	case errors.Is(err, bus.ErrNotFound):
	case err != nil:
		return fmt.Errorf("read the marker: %w", err)
	default:
		fence = stored.Seq
		m, err := event.DecodeProgress(stored.Data)
		if err != nil {
			// Reading the feed again from its start loses nothing but the counts.
			f.log.Error("the stored progress cannot be read; the feed is read again from its start, known events are left out", "err", err)
		} else {
			marker = m
		}
	}
	info, err := f.bus.Info(ctx, bus.Events)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	now := f.config.Now()
	from := f.horizon(marker, now)
	k := f.known
	if k == nil || day(from) < day(k.from) || !info.Created.Equal(f.created) || info.LastSeq < k.seq {
		k = newKnown(from)
	}
	if err := k.read(ctx, f.bus, f.source.Name, f.name, now.Sub(k.from), max(info.LastSeq, fence)); err != nil {
		return err
	}
	f.known, f.marker, f.fence, f.created = k, marker, fence, info.Created
	f.version = marker.APIVersion
	if f.version == "" {
		f.version = onepassword.V2
	}
	f.cursorless, f.stalled, f.resetAt, f.from, f.salvage = false, 0, time.Time{}, time.Time{}, salvage{}
	f.sweep = sweepState{at: marker.Sweep}
	f.recalled = true
	return nil
}

// horizon is the oldest time an event can have that may be brought again. A
// sweep reads from where it began, however long it takes.
func (f *feed) horizon(m event.Progress, now time.Time) time.Time {
	oldest := now.Add(-sweepHorizon - slack)
	for _, running := range []*event.SweepPosition{m.Sweep, f.sweep.at} {
		if running != nil {
			oldest = earlier(oldest, running.From)
		}
	}
	if m.First.IsZero() {
		return earlier(oldest, f.source.Start.resolve(now, f.config.Reach))
	}
	return earlier(oldest, resetTime(f.name, m, now))
}
