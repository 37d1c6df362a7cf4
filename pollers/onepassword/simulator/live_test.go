package simulator

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"watchword/bus/event"
)

// Two days of a live world: stories go on and on, a client that follows gets
// each record once, and exactly what is expected would be raised.
func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().Add(-3 * day)
		worlds := NewWorlds(WorldConfig{Seed: 2, People: 15, Days: 3, Events: 1500, Start: start, Rounds: 1}, 2)
		before := len(worlds[0].Expected())
		c := newClient(t, Config{Worlds: worlds, Options: unlimited, Live: &Live{Every: 90 * time.Second}})

		const path = "/api/v2/itemusages"
		reset := `{"limit":1000,"start_time":"` + start.Add(-day).Format(time.RFC3339) + `"}`
		seen, cursor := c.drain(path, reset)
		for n := range 2 * 24 * 60 {
			time.Sleep(time.Minute)
			var fresh []string
			fresh, cursor = c.drain(path, continuing(cursor))
			seen = append(seen, fresh...)
			if n == 0 && len(worlds[0].Expected()) < before+2 {
				t.Error("the first story did not begin within a minute, or is no guess-then-export")
			}
		}
		if want := available(worlds[0], event.FeedItemUsages, time.Now()); !slices.Equal(seen, want) {
			t.Errorf("%d records seen, want %d", len(seen), len(want))
		}
		if n := c.sim.State().Accounts; n[0].Stories < 700 || n[1].Stories < 700 {
			t.Errorf("too few stories: %+v", n)
		}
		last := time.Time{}
		worlds[0].Records(event.FeedItemUsages, func(r Record) bool { last = r.Time; return true })
		if last.Before(time.Now().Add(12 * time.Hour)) {
			t.Errorf("ordinary life is planned until %v only", last)
		}
		checkTruth(t, worlds)
	})
}

func TestInjectedStoriesAreQuick(t *testing.T) {
	worlds := NewWorlds(WorldConfig{Seed: 8, People: 10, Days: 2, Stories: []string{}}, 2)
	clock := NewManualClock(worlds[0].End())
	sim := New(Config{Worlds: worlds, Clock: clock})
	for range 4 {
		for _, kind := range StoryKinds() {
			before := len(sim.Expected())
			if _, err := sim.Inject(kind, ""); err != nil {
				t.Fatal(err)
			}
			now := sim.Expected()
			if len(now) == before && kind != "near-miss" {
				t.Errorf("%s expects nothing", kind)
			}
			for _, e := range now[before:] {
				if e.First.Before(clock.Now()) || e.Last.After(clock.Now().Add(time.Minute)) {
					t.Errorf("%s lasts from %v to %v after now", kind, e.First.Sub(clock.Now()), e.Last.Sub(clock.Now()))
				}
			}
			clock.Advance(2 * time.Minute)
		}
	}
	checkTruth(t, worlds)
	for _, w := range worlds {
		w.Records(event.FeedItemUsages, func(r Record) bool {
			if r.Available.Sub(r.Time) > time.Minute {
				t.Errorf("%s of a quick story comes late", r.UUID)
			}
			return true
		})
	}
	if _, err := sim.Inject("guess-then-export", "NOBODY"); err == nil {
		t.Error("a story in an account that is not served")
	}
	alone := New(Config{Worlds: worlds[:1], Clock: clock})
	if _, err := alone.Inject("two-accounts", ""); err == nil {
		t.Error("a story of two accounts in one")
	}
}

func TestClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		fast := NewFastClock(began.Add(-time.Hour), 60, false)
		ahead := NewFastClock(began, 60, true)
		slow := NewFastClock(began.Add(-time.Hour), 0.5, false)
		time.Sleep(30 * time.Second)
		check := func(name string, c Clock, want time.Time) {
			t.Helper()
			if have := c.Now(); !have.Equal(want) {
				t.Errorf("%s: %v, want %v", name, have, want)
			}
		}
		check("fast", fast, began.Add(-30*time.Minute))
		check("ahead", ahead, began.Add(30*time.Minute))
		check("slow", slow, began.Add(-time.Hour+15*time.Second))
		time.Sleep(10 * time.Minute)
		check("fast, caught up", fast, time.Now())
		check("ahead, far ahead", ahead, began.Add(630*time.Minute))
		check("wall", WallClock(), time.Now())
	})
}
