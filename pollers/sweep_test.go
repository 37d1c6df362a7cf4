package pollers

import (
	"strings"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
	"watchword/bus/event"
	"watchword/pollers/onepassword/simulator"
)

// TestSweepsFindWhatTheCursorPassed follows a world whose item usages arrive up
// to days late, hour by hour, and compares with what the cursor alone saw.
func TestSweepsFindWhatTheCursorPassed(t *testing.T) {
	world := smallWorld(5, true)
	r := newRig(t, world, simulator.Options{})
	r.clock.Set(world.Start().Add(2 * time.Hour))
	p, stop := r.start(r.config())
	r.drained(p)
	swept := func(name string, since time.Time) func(FeedStatus) bool {
		return func(s FeedStatus) bool {
			return s.Trouble == "" && !s.CatchingUp && s.Watermark.Equal(r.clock.Now().Add(-margin(s.Feed))) &&
				!r.marker(s.Feed).Sweeps[name].Before(since)
		}
	}
	hours := 0
	for !r.clock.Now().After(world.End()) {
		r.clock.Advance(4 * time.Hour)
		if hours++; hours%6 == 0 {
			stop() // sweeps go on where they stood
			p, stop = r.start(r.config())
		}
		r.eventually(p, "the hourly sweep", swept("24h", r.clock.Now()))
	}
	// What came days late is in the sweeps of 7 and 30 days.
	for r.clock.Now().Before(world.Complete()) {
		r.clock.Advance(12 * time.Hour)
	}
	r.clock.Advance(7 * 24 * time.Hour)
	r.eventually(p, "the weekly sweep", swept("30d", r.clock.Now()))
	c := r.wantAll()
	if len(c.aside) > 0 {
		t.Errorf("%d set aside: %s", len(c.aside), c.aside[0].Reason)
	}
	m := r.marker(event.FeedItemUsages)
	if m.Counts.Late == 0 || m.Counts.Late >= m.Counts.Events || m.Counts.Known == 0 {
		t.Errorf("counts: %+v", m.Counts)
	}
	if other := r.marker(event.FeedSigninAttempts); other.Counts.Late > 0 {
		t.Errorf("sign-ins came late: %+v", other.Counts)
	}
	if m.Sweep != nil || m.Sweeps["24h"].Before(m.Sweeps["30d"]) {
		t.Errorf("sweeps: %v, %v", m.Sweep, m.Sweeps)
	}
}

func TestDueSweep(t *testing.T) {
	first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(h int) time.Time { return first.Add(time.Duration(h) * time.Hour) }
	marker := func(sweeps map[string]time.Time, now time.Time) event.Progress {
		return event.Progress{First: first, Start: first.Add(-30 * 24 * time.Hour), Watermark: now.Add(-time.Minute), Sweeps: sweeps}
	}
	tests := []struct {
		name   string
		now    time.Time
		sweeps map[string]time.Time
		change func(*event.Progress)
		want   string
	}{
		{name: "just connected", now: first.Add(59 * time.Minute)},
		{name: "after an hour", now: at(1), want: "24h"},
		{name: "after a day, the longest", now: at(25), sweeps: map[string]time.Time{"24h": at(20)}, want: "7d"},
		{name: "after a week, the longest", now: at(200), want: "30d"},
		{name: "not twice", now: at(25), sweeps: map[string]time.Time{"24h": at(25), "7d": at(25)}},
		{name: "draining", now: at(2), change: func(m *event.Progress) { m.HasMore = true }},
		{name: "never connected", now: at(2), change: func(m *event.Progress) { m.First = time.Time{} }},
		{name: "nothing known yet", now: at(2), change: func(m *event.Progress) { m.Watermark = time.Time{} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := marker(tt.sweeps, tt.now)
			if tt.change != nil {
				tt.change(&m)
			}
			have := dueSweep(m, tt.now)
			if tt.want == "" {
				if have != nil {
					t.Fatalf("want none, have %+v", have)
				}
				return
			}
			if have == nil || have.Name != tt.want || !have.To.Equal(m.Watermark) || have.From.Before(m.Start) {
				t.Fatalf("want %s, have %+v", tt.want, have)
			}
		})
	}
	ended := sweepEnded(map[string]time.Time{"24h": at(0)}, "7d", at(5))
	if !ended["24h"].Equal(at(5)) || !ended["7d"].Equal(at(5)) || !ended["30d"].IsZero() {
		t.Errorf("ended: %v", ended)
	}
}

// What a sweep may bring again must be known, however long ago it began.
func TestKnownReachesAsFarAsASweep(t *testing.T) {
	now := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	began := now.Add(-sweepHorizon - 50*time.Hour)
	marker := event.Progress{First: began, Start: began, Watermark: now.Add(-time.Minute)}
	f := &feed{name: event.FeedItemUsages}
	if h := f.horizon(marker, now); h.After(now.Add(-sweepHorizon - slack)) {
		t.Errorf("ids are known from %s, a sweep that begins now reads from %s", h, now.Add(-sweepHorizon))
	}
	f.sweep.at = &event.SweepPosition{From: began}
	if h := f.horizon(marker, now); h.After(began) {
		t.Errorf("ids are known from %s, the running sweep reads from %s", h, began)
	}
	f.sweep.at, marker.Sweep = nil, &event.SweepPosition{From: began}
	if h := f.horizon(marker, now); h.After(began) {
		t.Errorf("ids are known from %s, the interrupted sweep reads from %s", h, began)
	}
}

// TestSweepGoesOnAfterALongPause: a sweep that was interrupted for longer than
// it reaches back still knows what is stored.
func TestSweepGoesOnAfterALongPause(t *testing.T) {
	r := newRig(t, smallWorld(4, false), simulator.Options{})
	p, stop := r.start(r.config())
	r.drained(p)
	stop()
	// Put it into the middle of a sweep, as an interruption would leave it.
	feed := event.FeedItemUsages
	m := r.marker(feed)
	m.Sweep = &event.SweepPosition{Name: "30d", From: r.world.Start(), To: m.Watermark}
	msgs, err := messages(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	last, err := r.bus.Last(t.Context(), bus.Events, msgs[0].Subject)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.bus.Commit(t.Context(), bus.Events, bus.Fence{Subject: msgs[0].Subject, Last: last.Seq}, msgs); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(60 * 24 * time.Hour)
	began := r.clock.Now()
	p, _ = r.start(r.config())
	r.eventually(p, "the sweep ended", func(s FeedStatus) bool { return !r.marker(feed).Sweeps["30d"].Before(began) })
	if m := r.marker(feed); m.Counts.Late > 0 {
		t.Errorf("counts: %+v", m.Counts)
	}
	r.wantAll()
}

func TestSweepPassesOverWhatCannotBeRead(t *testing.T) {
	for name, noCur := range map[string]bool{"with a cursor": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			a := &brokenAPI{bad: -1, noCur: noCur, sizes: map[int]int{}, cursors: map[string][2]int{}}
			for i := range 1500 {
				a.times = append(a.times, someday.Add(-20*time.Hour+time.Duration(i)*40*time.Second))
			}
			clock := simulator.NewManualClock(someday)
			r := &rig{t: t, bus: bustest.New(t), clock: clock, log: &logBuffer{}, file: t.TempDir() + "/token"}
			r.putToken("opaque-token-of-a-test")
			r.source = sourceAt(api(t, a.page), r.file)
			r.source.Feeds = []event.Feed{event.FeedSigninAttempts}
			p, _ := r.start(r.config())
			r.drained(p)
			a.mu.Lock()
			a.bad = 777
			a.mu.Unlock()
			clock.Advance(2 * time.Hour)
			r.eventually(p, "the sweep ended", func(s FeedStatus) bool {
				return r.marker(s.Feed).Sweeps["24h"].Equal(clock.Now()) && s.Trouble == ""
			})
			if n := strings.Join(p.Status()[0].Notices, " "); !strings.Contains(n, "the sweep of the last 24h passed over") {
				t.Errorf("notices: %q", n)
			}
			if c := r.contents(); len(c.events) != 1500 || len(c.aside) > 0 {
				t.Errorf("have %d events, %d set aside", len(c.events), len(c.aside))
			}
		})
	}
}
