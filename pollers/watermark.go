package pollers

import (
	"time"

	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

// margin is how far behind the clock a drained feed is called complete: what
// the API needs to index a record before it can hand it out. No figure is
// published. Sign-ins and audit events are made on 1Password's own servers;
// item usages arrive when an app syncs, and what comes later than this is what
// the sweeps are for.
func margin(feed event.Feed) time.Duration {
	if feed == event.FeedItemUsages {
		return 5 * time.Minute
	}
	return time.Minute
}

// overlap is how far before the last complete time a feed is read again after
// its cursor was refused.
func overlap(feed event.Feed) time.Duration {
	if feed == event.FeedItemUsages {
		return time.Hour
	}
	return 10 * time.Minute
}

// upTo is the latest time the page can be complete up to: the earlier of our
// clock and the server's when the request began, less the margin. The answer's
// Date is of its end, so the request's length is taken off; it is cut to the
// second, which errs to the safe side.
func upTo(feed event.Feed, p onepassword.Page) time.Time {
	t := p.Started
	if !p.Date.IsZero() {
		took := max(0, p.Ended.Sub(p.Started)) // less than nothing where our clock was set back meanwhile
		t = earlier(t, p.Date.Add(-took))
	}
	return t.Add(-margin(feed)).UTC()
}

// latestClock is the later of the two clocks: what lies beyond it is in the
// future whichever of them is right.
func latestClock(p onepassword.Page) time.Time {
	if p.Date.After(p.Ended) {
		return p.Date
	}
	return p.Ended
}

// before is the last instant of which a page that ends with an event at t is
// complete. Cursors order records by the millisecond (the one layout ever
// seen in public), so the next page can begin within t's.
func before(t time.Time) time.Time { return t.Truncate(time.Millisecond).Add(-1) }

// cover adds a span to the covered ones, joined where they touch. Beyond
// event.MaxCovered the oldest are forgotten: claiming less is safe. The slice
// given is not changed.
func cover(covered []event.Interval, from, to time.Time) []event.Interval {
	if to.Before(from) {
		return covered
	}
	out := make([]event.Interval, 0, len(covered)+1)
	for _, c := range covered {
		switch {
		case c.To.Add(1).Before(from):
			out = append(out, c)
		case to.Add(1).Before(c.From):
			out = append(out, event.Interval{From: from, To: to})
			from, to = c.From, c.To
		default:
			from, to = earlier(from, c.From), later(to, c.To)
		}
	}
	out = append(out, event.Interval{From: from, To: to})
	if n := len(out) - event.MaxCovered; n > 0 {
		out = out[n:]
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
