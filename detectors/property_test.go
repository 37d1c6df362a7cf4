package detectors

import (
	"flag"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/bus/event"
)

// Whatever comes late, in which batches, with crashes and graceful stops
// anywhere, with folds pruned, dropped and rebuilt: the live alerts in ALERTS
// are those of all the events at once, and no revision is published twice.
func TestAlertsDependOnTheEventsAlone(t *testing.T) {
	set := loadRules(t, testRules)
	cases := "30" // each runs a server of its own
	if os.Getenv("WATCHWORD_LONG") != "" {
		cases = "200"
	}
	if err := flag.Set("rapid.checks", cases); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		t.Run("case", func(t *testing.T) { randomHistory(t, rt, newHouse(t, set)) })
	})
}

func randomHistory(t *testing.T, rt *rapid.T, h *house) {
	var s story
	sources := []string{"acme", "beta"}
	users := []string{"ann", "bob", "eve"}
	ips := []string{"192.0.2.1", "192.0.2.2"}
	clock := map[string]time.Time{}
	for _, source := range sources {
		clock[source] = t0
	}
	one := func(source string) event.Event {
		// Time goes on in leaps, so that folds are pruned in between; some events come late, a few very late.
		leap := rapid.SampledFrom([]time.Duration{0, 0, time.Minute, 5 * time.Minute, 10 * time.Minute, 10 * time.Minute, 20 * time.Minute, 20 * time.Minute, 40 * time.Minute, 60 * time.Hour}).Draw(rt, "leap")
		back := rapid.SampledFrom([]time.Duration{0, 0, 0, 0, 0, 5 * time.Minute, 40 * time.Minute, 3 * time.Hour, 60 * time.Hour}).Draw(rt, "late by")
		if clock[source] = clock[source].Add(leap); clock[source].After(time.Now().Add(-time.Hour)) {
			clock[source] = clock[source].Add(-leap)
		}
		at := clock[source].Add(-back)
		user := rapid.SampledFrom(users).Draw(rt, "user")
		switch rapid.IntRange(0, 5).Draw(rt, "what") {
		case 0:
			return s.export(source, user, at)
		case 1:
			return s.suspend(source, rapid.SampledFrom(users).Draw(rt, "admin"), user, at)
		default:
			return s.failed(source, user, rapid.SampledFrom(ips).Draw(rt, "ip"), at)
		}
	}
	for range rapid.IntRange(1, 6).Draw(rt, "lives") {
		for range rapid.IntRange(1, 6).Draw(rt, "pages") {
			source := rapid.SampledFrom(sources).Draw(rt, "source")
			var page []event.Event
			for range rapid.IntRange(0, 12).Draw(rt, "events") {
				page = append(page, one(source))
			}
			h.publish(source, clock[source], page...)
		}
		live(t, rt, h, clock["acme"])
	}
	run(t, h.worker(), 500)
	h.check()
}

// live is the life of one worker, which may end anywhere.
func live(t *testing.T, rt *rapid.T, h *house, now time.Time) {
	w := h.worker()
	w.c.Limits.Hits = rapid.SampledFrom([]int{20, 1_000_000}).Draw(rt, "bound on hits")
	s, err := w.takeOver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.reader.Close()
	if rapid.Bool().Draw(rt, "reads from late") && s.leastResume() > 0 {
		// As if older events had been stored long ago: the folds are made from here.
		s.base = now.Add(-time.Duration(rapid.IntRange(0, 600).Draw(rt, "base, minutes ago")) * time.Minute)
	}
	size := rapid.SampledFrom([]int{1, 3, 20, 500}).Draw(rt, "batch")
	for n := rapid.IntRange(0, 60).Draw(rt, "steps"); n > 0 && s.position < s.lastSeq; n-- {
		step(t, s, size)
		if rapid.IntRange(0, 5).Draw(rt, "move ledgers") == 0 {
			if err := s.moveLedgers(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if rapid.Bool().Draw(rt, "graceful") {
		s.leave()
	}
}
