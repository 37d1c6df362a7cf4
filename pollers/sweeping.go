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
	retryAt time.Time // by the machine's clock
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
		f.sweep.at = dueSweep(f.marker, f.config.Now())
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
	}
	if err := f.store(ctx, s.entries, next, true); err != nil {
		return err
	}
	f.sweep.unsaved, f.sweep.known = 0, 0
	if len(s.entries) > 0 {
		f.log.Info("a sweep found late records", "sweep", at.Name, "records", len(s.entries))
	}
	if ended {
		f.sweep = sweepState{}
	}
	return nil
}

// sweepFailed tries again later, however often: a sweep that gave up would
// leave what came late unread for a week. What cannot be read is passed over.
// What is wrong with the token or the server shows in the next poll.
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
	if s.fails%triesEach != 0 {
		return nil
	}
	at := *s.at
	switch {
	case isAPI && e.Class == onepassword.ClassCursorRefused:
		at.Cursor = ""
	case isAPI && hole(e) && e.Class != onepassword.ClassCut:
		if c := onepassword.SalvageCursor(e.Body); c != "" && c != at.Cursor {
			at.Cursor = c
		} else {
			s.step = max(time.Second, 2*s.step)
			at.From, at.Cursor = earlier(later(at.From, s.last).Add(s.step), at.To), ""
		}
		f.notice("sweep", "the sweep of the last "+at.Name+" passed over a page that cannot be read near "+at.From.Format(time.RFC3339))
	default:
		f.notice("sweep", "the sweep of the last "+at.Name+" does not get on and is tried again: "+err.Error())
		if s.fails == triesEach {
			f.log.Warn("a sweep does not get on and is tried again", "sweep", at.Name, "err", err)
		}
	}
	s.at = &at
	return nil
}
