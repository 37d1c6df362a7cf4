package pollers

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

// feed is the actor of one feed of one source. Serve's goroutine alone touches
// its state; others reach it through wake and shown.
//
// The loop takes one step at a time: recall the state from EVENTS, stand by
// while another poller is at work, poll, or sweep. Every step that writes ends
// in one fenced commit, so it can be interrupted anywhere and begun again.
type feed struct {
	source  Source
	name    event.Feed
	bus     stream
	account *account
	config  Config
	log     *slog.Logger
	stagger time.Duration              // before the first poll, so that not all begin at once
	wake    chan struct{}              // "poll now"; holds one
	shown   atomic.Pointer[FeedStatus] // the actor writes it, anybody reads it

	// What is stored, as far as we know.
	recalled bool // the fields below are read
	created  time.Time
	marker   event.Progress
	fence    uint64 // sequence of marker
	known    *known

	// Where to ask next.
	pollAt     time.Time // by the machine's clock
	version    string    // of the API
	lacking    int       // answers in a row that v2 is not there
	v2Tried    time.Time // by the machine's clock
	refused    time.Time // when a cursor was last refused, by the machine's clock
	cursorless bool      // the marker's cursor is not to be used
	stalled    int       // answers in a row that promise more and bring nothing
	resetAt    time.Time // where to begin anew instead of the usual place; zero: the usual
	from       time.Time // what is covered next begins here, behind a hole; zero: at the watermark
	salvage    salvage
	sweep      sweepState

	standby standby
	waits   *backoff.ExponentialBackOff
	trouble trouble
	notices map[string]notice // by topic: what is worth knowing and no trouble
}

func newFeed(s Source, name event.Feed, a *account, c Config, stagger time.Duration) *feed {
	f := &feed{
		source: s, name: name, bus: c.Bus, account: a, config: c, stagger: stagger,
		log:     c.Logger.With("source", s.Name, "feed", string(name)),
		wake:    make(chan struct{}, 1),
		marker:  event.Progress{Source: s.Name, Feed: name},
		notices: map[string]notice{},
	}
	f.show("not started")
	return f
}

// String names the actor in the supervisor's messages.
func (f *feed) String() string { return f.source.Name + " " + string(f.name) }

// Serve polls until ctx ends. It can be called again after it returned.
func (f *feed) Serve(ctx context.Context) error {
	f.recalled, f.standby = false, standby{}
	f.waits = f.config.backoff()
	f.show("starting")
	if err := f.idle(ctx, f.stagger); err != nil {
		return err
	}
	f.pollAt = time.Now()
	for {
		wait, err := f.step(ctx)
		if ctx.Err() != nil {
			f.show("stopped")
			return ctx.Err()
		}
		if err != nil {
			wait = f.failed(ctx, err)
		}
		if err := f.idle(ctx, wait); err != nil {
			f.show("stopped")
			return err
		}
	}
}

// step does the next thing and says how long nothing is to be done after it.
func (f *feed) step(ctx context.Context) (time.Duration, error) {
	switch {
	case f.standby.active:
		return f.watch(ctx)
	case !f.recalled:
		return 0, f.recall(ctx)
	case !time.Now().Before(f.pollAt):
		return 0, f.poll(ctx)
	case f.sweepDue():
		return 0, f.sweepOn(ctx)
	}
	f.show(f.calm())
	return min(time.Until(f.pollAt), f.source.interval()), nil
}

func (f *feed) calm() string {
	if f.trouble.text != "" {
		return "waiting to try again"
	}
	return "watching"
}

// idle waits. It is cut short by Sync, and by a new token while the one in use
// is refused.
func (f *feed) idle(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if left <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(min(left, f.source.interval()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-f.wake:
			timer.Stop()
			f.pollAt = time.Now()
			return nil
		case <-timer.C:
		}
		if f.trouble.token != "" && f.account.renewed(ctx, f.trouble.token) {
			f.pollAt = time.Now()
			return nil
		}
	}
}

// sleep waits without being cut short by anything but ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// sync asks the actor to poll now. It never blocks: one wish is kept.
func (f *feed) sync() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// poll fetches one page of the feed and stores what is new of it.
func (f *feed) poll(ctx context.Context) error {
	from := f.where()
	page, pass, err := f.ask(ctx, from, 0)
	if err != nil {
		return err
	}
	return f.take(ctx, from, page, pass)
}

// where is the place of the next page.
func (f *feed) where() onepassword.From {
	now := f.config.Now()
	switch {
	case f.salvage.on():
		return f.salvage.from()
	case !f.resetAt.IsZero():
		return onepassword.From{Start: f.resetAt}
	case f.marker.First.IsZero():
		return onepassword.From{Start: f.source.Start.resolve(now, f.config.Reach)}
	case f.marker.Cursor != "" && !f.cursorless && f.marker.APIVersion == f.version:
		return onepassword.From{Cursor: f.marker.Cursor}
	}
	return onepassword.From{Start: resetTime(f.name, f.marker, now)}
}

// resetTime is where a feed without a usable cursor is read again from.
func resetTime(name event.Feed, m event.Progress, now time.Time) time.Time {
	t := m.Start
	if !m.Watermark.IsZero() {
		t = later(t, m.Watermark.Add(-overlap(name)))
	}
	return later(t, now.Add(-onepassword.History)).UTC()
}

// take stores a page: its new events, what is set aside, and the marker moved on.
func (f *feed) take(ctx context.Context, from onepassword.From, page onepassword.Page, p pass) error {
	if !f.salvage.readable(f.config.Now()) {
		return nil
	}
	next := f.marker
	if next.First.IsZero() {
		next.First, next.Start = page.Started.UTC(), from.Start
		if !f.known.earliest.IsZero() {
			next.First = earlier(next.First, f.known.earliest) // the marker was lost, the events were not
		}
	}
	if next.Account == "" {
		next.Account = p.id
	}
	s := f.sorter(next, page).sort(page.Items)
	ended, complete := f.ends(from, page)
	next.Polled, next.HasMore = page.Ended.UTC(), !ended
	next.Trouble, next.TroubleSince = "", time.Time{}
	next.Counts.Known += s.known
	if f.salvage.phase == passed {
		f.passedOver(page, s)
	}
	f.advance(&next, page, s, complete)
	next.Cursor, next.APIVersion = page.Cursor, f.version
	if f.salvage.on() {
		// A cursor of smaller pages is not kept: the size is frozen in it.
		next.Cursor = ""
		s.entries = append(f.salvage.aside(f.source.Name, f.name, page.Ended.UTC(), f.known), s.entries...)
	}
	if err := f.store(ctx, s.entries, next, false); err != nil {
		return err
	}
	if !f.from.IsZero() && f.marker.Watermark.After(f.from) {
		f.from = time.Time{}
	}
	f.cursorless, f.lacking = false, 0
	f.resetAt = f.salvage.stored(page, s.last, f.marker.Watermark, ended)
	f.well()
	f.pollAt = time.Now()
	f.show("catching up")
	if ended {
		f.pollAt = f.pollAt.Add(f.source.interval())
		f.tryV2()
		f.show(f.calm())
	}
	return nil
}

// tryV2 asks once a day whether a server that had only v1 has v2 by now.
func (f *feed) tryV2() {
	if f.version == onepassword.V1 && time.Since(f.v2Tried) > 24*time.Hour {
		f.version, f.v2Tried = onepassword.V2, time.Now()
	}
}

func (f *feed) sorter(m event.Progress, page onepassword.Page) sorter {
	return sorter{
		source: f.source.Name, feed: f.name, account: m.Account, first: m.First,
		now: page.Ended.UTC(), latest: latestClock(page), known: f.known,
		complete: m.Watermark,
	}
}
