package detectors

import (
	"testing"
	"time"

	"watchword/bus/event"
)

func TestCoverage(t *testing.T) {
	at := func(h int) time.Time { return t0.Add(time.Duration(h) * time.Hour) }
	c := newCoverage()
	if !c.of("acme").IsZero() || !c.all().IsZero() {
		t.Error("nothing is complete before any marker")
	}
	note := func(source string, feed event.Feed, watermark, stored time.Time) {
		c.note(event.Progress{Source: source, Feed: feed, Watermark: watermark}, stored)
	}
	note("acme", event.FeedSigninAttempts, at(10), at(10))
	note("acme", event.FeedItemUsages, at(4), at(10))
	if got := c.of("acme"); !got.Equal(at(4)) {
		t.Errorf("complete up to %v, want the least of the feeds, %v", got, at(4))
	}
	note("acme", event.FeedItemUsages, at(2), at(11))
	if got := c.of("acme"); !got.Equal(at(4)) {
		t.Errorf("the watermark went back to %v", got)
	}
	note("beta", event.FeedAuditEvents, at(3), at(11))
	if got := c.all(); !got.Equal(at(3)) {
		t.Errorf("all sources complete up to %v, want %v", got, at(3))
	}
	note("acme", event.FeedAuditEvents, time.Time{}, at(11))
	if got := c.of("acme"); !got.IsZero() {
		t.Errorf("complete up to %v with a feed of which nothing is known", got)
	}
	note("acme", event.FeedSigninAttempts, at(40), at(36))
	if got := c.of("acme"); !got.Equal(at(40)) {
		t.Errorf("complete up to %v: feeds that stand still for a day must not count", got)
	}
	note("beta", event.FeedAuditEvents, at(60), at(70))
	note("beta", event.FeedSigninAttempts, at(62), at(70))
	if got := c.all(); !got.Equal(at(60)) {
		t.Errorf("all sources complete up to %v, want %v: a source that stands still for a day must not count", got, at(60))
	}
}
