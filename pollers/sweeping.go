package pollers

import (
	"context"
	"errors"
	"time"

	"watchword/bus"
	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

// sweepState is the running sweep, possibly a few pages ahead of the marker.
type sweepState struct {
	at      *event.SweepPosition
	unsaved int       // pages since the position was last stored
	known   uint64    // records seen again on those pages
	last    time.Time // of the last event seen
	fails   int       // in a row
	stalled int       // answers in a row that promise more and bring nothing
	step    time.Duration
	retryAt time.Time            // by the machine's clock
	putOff  map[string]time.Time // sweeps that could not finish: not before, by the clock of events
}

// saveEvery so many pages a sweep's position is stored, if nothing else is to be.
const saveEvery = 10

// sweepDue tells whether there is a page of a sweep to read. Polls come first:
// a sweep runs only while the feed is drained and well.
func (f *feed) sweepDue() bool {
	if f.trouble.text != "" || f.salvage.on() || f.marker.HasMore || time.Now().Before(f.sweep.retryAt) {
		return false
	}
	if f.sweep.at == nil {
		f.sweep.at = dueSweep(f.marker, f.config.Now(), f.sweep.putOff)
	}
	return f.sweep.at != nil
}

// sweepOn reads one page of the sweep and stores what the stream lacks of it.
// It moves neither the feed's cursor nor its watermark.
func (f *feed) sweepOn(ctx context.Context) error {
	at := *f.sweep.at
	f.show("reading the last " + at.Name + " again")
	from := onepassword.From{Cursor: at.Cursor, Start: at.From, End: at.To}
	page, _, err := f.ask(ctx, from, sweepReserve)
	if err != nil {
		return f.sweepFailed(ctx, err)
	}
	s := f.sorter(f.marker, page).sort(page.Items)
	f.sweep.fails, f.sweep.step = 0, 0
	f.sweep.known += s.known
	f.sweep.unsaved++
	if !s.last.IsZero() {
		f.sweep.last = s.last
	}
	ended := !page.HasMore
	if f.sweep.stalled++; len(page.Items) > 0 || ended {
		f.sweep.stalled = 0
	} else if page.Cursor == from.Cursor && f.sweep.stalled >= 3 || f.sweep.stalled >= mostStalled {
		ended = true // promised more and brought nothing, as often as feed.ends believes it
	}
	at.Cursor = page.Cursor
	f.sweep.at = &at
	if !ended && len(s.entries) == 0 && f.sweep.unsaved < saveEvery {
		return nil
	}
	next := f.marker
	next.Counts.Known += f.sweep.known
	next.Sweep = &at
	if ended {
		next.Sweep, next.Sweeps = nil, sweepEnded(next.Sweeps, at.Name, f.config.Now())
		delete(f.notices, "sweep")
	}
	if err := f.store(ctx, s.entries, next, true); err != nil {
		return err
	}
	f.sweep.unsaved, f.sweep.known = 0, 0
	if len(s.entries) > 0 {
		f.log.Info("a sweep found late records", "sweep", at.Name, "records", len(s.entries))
	}
	if ended {
		f.sweep = sweepState{putOff: f.sweep.putOff}
	}
	return nil
}

// sweepFailed tries again later, passes over what cannot be read, and puts the
// sweep off for one of its rounds where that does not help either. What is
// wrong with the token or the server shows in the next poll.
func (f *feed) sweepFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, bus.ErrFenced) || errors.Is(err, bus.ErrUnavailable) {
		return err
	}
	s := &f.sweep
	s.fails++
	wait := f.waits.NextBackOff()
	s.retryAt = time.Now().Add(wait)
	var e *onepassword.Error
	isAPI := errors.As(err, &e)
	if isAPI && e.Class == onepassword.ClassRateLimited {
		f.account.limits.hold(max(e.RetryAfter, wait))
	}
	switch {
	case s.fails < triesEach:
		return nil
	case isAPI && e.Class == onepassword.ClassCursorRefused && s.fails == triesEach:
		s.at = &event.SweepPosition{Name: s.at.Name, From: s.at.From, To: s.at.To}
		return nil
	case isAPI && hole(e):
		at := *s.at
		if c := onepassword.SalvageCursor(e.Body); c != "" && c != at.Cursor {
			at.Cursor = c
		} else {
			s.step = max(time.Second, 2*s.step)
			at.From, at.Cursor = later(at.From, s.last).Add(s.step), ""
		}
		f.notice("sweep", "the sweep of the last "+at.Name+" passed over a page that cannot be read near "+at.From.Format(time.RFC3339))
		s.fails, s.at = 0, &at
		if at.From.Before(at.To) {
			return nil
		}
	}
	if s.putOff == nil {
		s.putOff = map[string]time.Time{}
	}
	s.putOff[s.at.Name] = f.config.Now().Add(sweepEvery(s.at.Name))
	f.notice("sweep", "the sweep of the last "+s.at.Name+" could not finish and is put off to its next round: "+err.Error())
	f.log.Warn("a sweep could not finish and is put off", "sweep", s.at.Name, "err", err)
	f.sweep = sweepState{putOff: s.putOff}
	return nil
}
