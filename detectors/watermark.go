package detectors

import (
	"time"

	"watchword/bus/event"
)

// stalled is how long a feed's marker may stand still, against the newest
// marker of any feed, before others stop waiting for it. What such a feed
// brings later is late.
const stalled = 24 * time.Hour

// coverage is how far the feeds of each source are complete, as their markers say.
type coverage struct {
	feeds  map[string]map[event.Feed]mark // by source
	newest time.Time                      // when the newest marker was stored
}

type mark struct {
	watermark time.Time
	stored    time.Time
}

func newCoverage() *coverage { return &coverage{feeds: map[string]map[event.Feed]mark{}} }

// note takes in a marker that was stored at the given time.
func (c *coverage) note(p event.Progress, stored time.Time) {
	feeds := c.feeds[p.Source]
	if feeds == nil {
		feeds = map[event.Feed]mark{}
		c.feeds[p.Source] = feeds
	}
	m := mark{watermark: p.Watermark, stored: stored}
	if old := feeds[p.Feed]; old.watermark.After(m.watermark) {
		m.watermark = old.watermark // a watermark never goes back
	}
	feeds[p.Feed] = m
	if stored.After(c.newest) {
		c.newest = stored
	}
}

// source is the time up to which all feeds of a source are complete; zero when
// that is not known. A feed that has stalled no longer counts; live says
// whether any does.
func (c *coverage) source(name string) (complete time.Time, live bool) {
	var least time.Time
	for _, m := range c.feeds[name] {
		if c.newest.Sub(m.stored) > stalled {
			continue
		}
		live = true
		if m.watermark.IsZero() {
			return time.Time{}, true
		}
		if least.IsZero() || m.watermark.Before(least) {
			least = m.watermark
		}
	}
	return least, live
}

// all is the time up to which every live source is complete.
func (c *coverage) all() time.Time {
	var least time.Time
	for name := range c.feeds {
		w, live := c.source(name)
		if !live {
			continue
		}
		if w.IsZero() {
			return time.Time{}
		}
		if least.IsZero() || w.Before(least) {
			least = w
		}
	}
	return least
}

// of is how far the keys of a source are complete; an empty name stands for
// keys across sources.
func (c *coverage) of(source string) time.Time {
	if source == "" {
		return c.all()
	}
	complete, _ := c.source(source)
	return complete
}
