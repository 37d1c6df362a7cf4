package pollers

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"watchword/bus/event"
	"watchword/pollers/onepassword/simulator"
)

func TestEveryEventOnce(t *testing.T) {
	r := newRig(t, smallWorld(4, false), simulator.Options{})
	p, stop := r.start(r.config())
	r.drained(p)
	c := r.wantAll()
	if len(c.aside) > 0 {
		t.Errorf("set aside: %s", c.aside[0].Reason)
	}
	first := r.clock.Now()
	historical, of := 0, map[event.Kind]int{}
	for _, e := range c.events {
		of[e.Kind]++
		if e.Account != r.world.Account() || !e.Received.Equal(first) || e.TimeSuspect || e.Type != event.TypeOnePassword {
			t.Fatalf("envelope: %+v", e)
		}
		if want := e.Time.Before(first.Add(-24 * time.Hour)); e.Historical != want {
			t.Fatalf("%s at %s: want historical %v", e.ID, e.Time, want)
		}
		if e.Historical {
			historical++
		}
	}
	if historical == 0 || historical == len(c.events) {
		t.Errorf("%d of %d events are historical", historical, len(c.events))
	}
	for _, feed := range event.Feeds {
		m := r.marker(feed)
		if !m.Watermark.Equal(first.Add(-margin(feed))) || !m.First.Equal(first) || m.HasMore || m.APIVersion != "v2" || m.Account != r.world.Account() {
			t.Errorf("marker: %+v", m)
		}
		if len(m.Covered) != 1 || !m.Covered[0].From.Equal(m.Start) || !m.Covered[0].To.Equal(m.Watermark) {
			t.Errorf("covered: %+v", m.Covered)
		}
		if int(m.Counts.Events) != of[feed.Kind()] || m.Counts.Late+m.Counts.Quarantined+m.Counts.Suspect > 0 {
			t.Errorf("counts: %+v", m.Counts)
		}
	}

	// Time goes on: nothing new, the watermark follows. Then a restart.
	r.clock.Advance(10 * time.Minute)
	r.drained(p)
	stop()
	p, _ = r.start(r.config())
	r.clock.Advance(10 * time.Minute)
	r.drained(p)
	r.wantAll()
}

func TestStatusTellsWhatPeopleAsk(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	off := r.source
	off.Name, off.Enabled = "globex", false
	c := r.config()
	c.Sources = append(c.Sources, off)
	p, _ := r.start(c)
	until(t, "acme is drained", func() bool { return p.Status()[0].State == "watching" })
	all := p.Status()
	if len(all) != 6 || all[5].State != "disabled in the configuration" {
		t.Fatalf("have %d feeds, the last %+v", len(all), all[len(all)-1])
	}
	s := all[0]
	if s.Source != "acme" || s.Kind != event.KindSignin || s.Trouble != "" || s.Polled.IsZero() || s.LagSeconds != 60 ||
		s.Room.Minute <= 0 || s.Room.Hour <= 0 || s.TokenFrom != "file "+r.file || len(s.Token) != 8 || s.Account != r.world.Account() {
		t.Errorf("status: %+v", s)
	}
	b, err := json.Marshal(all)
	if err != nil || strings.Contains(string(b), r.token) {
		t.Errorf("status in JSON: %v", err)
	}
	if err := p.Sync("globex"); err == nil {
		t.Error("a disabled source was told to poll")
	}
}

func TestSyncPollsNow(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	r.source.Interval = time.Hour
	c := r.config()
	p, _ := r.start(c)
	r.eventually(p, "a first poll", func(s FeedStatus) bool {
		if s.Polled.IsZero() {
			_ = p.Sync("acme") // cuts the spread of the starts short as well
		}
		return s.State == "watching"
	})
	r.clock.Advance(time.Hour)
	if err := p.Sync("acme"); err != nil {
		t.Fatal(err)
	}
	r.drained(p)
}

func TestPausesAreGaps(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	p, stop := r.start(r.config())
	r.drained(p)
	before := r.marker(event.FeedAuditEvents)
	stop()
	// Off for longer than the API keeps anything.
	r.clock.Advance(200 * 24 * time.Hour)
	p, _ = r.start(r.config())
	r.drained(p)
	m := r.marker(event.FeedAuditEvents)
	if len(m.Covered) != 2 || !m.Covered[0].To.Equal(before.Watermark) {
		t.Errorf("want a gap behind %s, have %+v", before.Watermark, m.Covered)
	}
	found := false
	for _, n := range p.Status()[2].Notices {
		found = found || strings.Contains(n, "are lost: the API keeps 120 days")
	}
	if !found {
		t.Errorf("the status does not tell of the gap: %q", p.Status()[2].Notices)
	}
}
