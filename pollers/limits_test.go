package pollers

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

func slogTo(l *logBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// TestLimitsHold: whatever the requests do, no 60 s and no hour hold more than
// is allowed, and a wait that is given is enough.
func TestLimitsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perMinute := rapid.IntRange(1, 30).Draw(t, "per minute")
		perHour := rapid.IntRange(perMinute, 200).Draw(t, "per hour")
		now := someday.Add(time.Duration(rapid.IntRange(0, 5_000_000).Draw(t, "µs")) * time.Microsecond)
		l := newLimits(perMinute, perHour, func() time.Time { return now })
		var sent []time.Time
		for range 400 {
			if rapid.IntRange(0, 3).Draw(t, "pause") == 0 {
				now = now.Add(time.Duration(rapid.IntRange(0, 40_000).Draw(t, "ms")) * time.Millisecond)
			}
			spare := rapid.SampledFrom([]int{0, 0, 100}).Draw(t, "spare")
			wait := l.take(spare)
			for n := 0; wait > 0; wait = l.take(spare) {
				now = now.Add(wait)
				if n++; n > 200 {
					t.Fatal("waits without end")
				}
			}
			sent = append(sent, now)
		}
		for _, w := range []struct {
			span time.Duration
			most int
		}{{time.Minute, perMinute}, {time.Hour, perHour}} {
			first := 0
			for i := range sent {
				for sent[i].Sub(sent[first]) >= w.span {
					first++
				}
				if n := i - first + 1; n > w.most {
					t.Fatalf("%d requests within %s, allowed are %d", n, w.span, w.most)
				}
			}
		}
	})
}

func TestLimitsAreUsed(t *testing.T) {
	now := someday
	l := newLimits(defaultPerMinute, defaultPerHour, func() time.Time { return now })
	n := 0
	for ; l.take(0) == 0; n++ {
	}
	if n != defaultPerMinute {
		t.Errorf("want %d requests at once, have %d", defaultPerMinute, n)
	}
	if r := l.room(); r.Minute != 0 || r.Hour != defaultPerHour-n {
		t.Errorf("room: %+v", r)
	}
	now = now.Add(-time.Hour) // a clock set back does not stop the feed for an hour
	if wait := l.take(0); wait > 0 {
		t.Errorf("waits %s", wait)
	}
	l.hold(30 * time.Second)
	if wait := l.take(0); wait != 30*time.Second || l.room().HeldUntil.IsZero() {
		t.Errorf("held for %s", wait)
	}
}

func TestSweepsLeaveRoom(t *testing.T) {
	l := newLimits(defaultPerMinute, defaultPerHour, func() time.Time { return someday })
	for l.take(sweepReserve) == 0 {
	}
	if room := l.room().Minute; room != sweepReserve {
		t.Errorf("want %d left, have %d", sweepReserve, room)
	}
	if wait := l.take(0); wait > 0 {
		t.Errorf("a poll waits %s", wait)
	}
}

// TestCover compares with counting the seconds one by one.
func TestCover(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := func(s int) time.Time { return someday.Add(time.Duration(s) * time.Second) }
		var covered []event.Interval
		var seconds [100]bool // second i to i+1
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			from := rapid.IntRange(0, 99).Draw(t, "from")
			to := rapid.IntRange(from, min(from+8, 99)).Draw(t, "to")
			covered = cover(covered, at(from), at(to))
			for i := from; i < to; i++ {
				seconds[i] = true
			}
		}
		for i, want := range seconds {
			have := false
			middle := at(i).Add(time.Second / 2)
			for _, c := range covered {
				have = have || !middle.Before(c.From) && !middle.After(c.To)
			}
			if have != want {
				t.Fatalf("second %d: want %v in %v", i, want, covered)
			}
		}
		for i := 1; i < len(covered); i++ {
			if !covered[i-1].To.Add(1).Before(covered[i].From) {
				t.Fatalf("not joined or not sorted: %v", covered)
			}
		}
	})
	var many []event.Interval
	for i := range 2 * event.MaxCovered {
		many = cover(many, someday.Add(time.Duration(2*i)*time.Hour), someday.Add(time.Duration(2*i+1)*time.Hour))
	}
	if len(many) != event.MaxCovered || !many[0].From.Equal(someday.Add(2*event.MaxCovered*time.Hour)) {
		t.Errorf("want the newest %d, have %d from %s", event.MaxCovered, len(many), many[0].From)
	}
}

func TestSourceValidate(t *testing.T) {
	good := Source{Name: "acme-1", Token: onepassword.FromFile("x")}
	tests := []struct {
		change func(*Source)
		says   string
	}{
		{func(*Source) {}, ""},
		{func(s *Source) { s.Name = "Acme" }, `source "Acme": name: use 1 to 64`},
		{func(s *Source) { s.Name = "" }, "name: use 1 to 64"},
		{func(s *Source) { s.URL = "ftp://x" }, `url: "ftp://x" has the scheme "ftp"; use https`},
		{func(s *Source) { s.Region = "us" }, `region: "us" is not known; use one of com, ent, ca, eu`},
		{func(s *Source) { s.URL, s.Region = "https://x", "eu" }, "leave one out"},
		{func(s *Source) { s.Token = nil }, "token: none is configured"},
		{func(s *Source) { s.Interval = -1 }, "interval: -1ns is out of range"},
		{func(s *Source) { s.Feeds = []event.Feed{"signins"} }, `feeds: "signins" is not known; use any of signinattempts`},
		{func(s *Source) { s.Feeds = []event.Feed{"auditevents", "auditevents"} }, "is there twice"},
		{func(s *Source) { s.Start = Start{At: someday, Back: 1} }, "start: a time and a duration"},
	}
	for _, tt := range tests {
		s := good
		tt.change(&s)
		err := s.Validate()
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("want %q, have %v", tt.says, err)
		}
	}
	if err := ValidateSources([]Source{good, good}); err == nil || !strings.Contains(err.Error(), "two sources have it") {
		t.Errorf("have %v", err)
	}
}

func TestStart(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]time.Time{
		"":                     someday.Add(-40 * day), // the rules' reach
		"7d":                   someday.Add(-7 * day),
		"36h":                  someday.Add(-36 * time.Hour),
		"400d":                 someday.Add(-120 * day),
		"2026-05-01":           time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
		"2026-05-01T08:00:00Z": time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC),
		"2020-01-01":           someday.Add(-120 * day),
		"2030-01-01":           someday,
	} {
		s, err := ParseStart(text)
		if have := s.resolve(someday, 40*day); err != nil || !have.Equal(want) {
			t.Errorf("%q: want %s, have %s, %v", text, want, have, err)
		}
	}
	for _, text := range []string{"d", "-3d", "yesterday", "-1h", "2026-13-01"} {
		if s, err := ParseStart(text); err == nil {
			t.Errorf("%q was taken as %s", text, fmt.Sprint(s))
		}
	}
}
