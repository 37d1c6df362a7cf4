package pollers

import (
	"context"
	"errors"
	"time"

	"watchword/bus"
	"watchword/bus/event"
)

// standby is what is known of another poller of the same feed.
type standby struct {
	active bool
	seq    uint64    // newest marker seen
	at     time.Time // when it was first seen, by the machine's clock
}

// watch stands by: another poller moves the marker. When that has not happened
// for three intervals, this one takes over; should the other wake up, it will be
// the one that is fenced.
func (f *feed) watch(ctx context.Context) (time.Duration, error) {
	stored, err := f.bus.Last(ctx, bus.Events, bus.ProgressSubject(f.source.Name, f.name))
	if err != nil && !errors.Is(err, bus.ErrNotFound) {
		return 0, err
	}
	now := time.Now()
	if stored.Seq != f.standby.seq || f.standby.at.IsZero() {
		f.standby.seq, f.standby.at = stored.Seq, now
		if m, err := event.DecodeProgress(stored.Data); err == nil {
			f.marker = m
		}
	}
	if now.Sub(f.standby.at) >= 3*f.source.interval() {
		f.standby = standby{}
		return 0, nil
	}
	f.show("standing by: another poller reads this feed")
	return f.source.interval(), nil
}
