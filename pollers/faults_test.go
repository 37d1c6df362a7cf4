package pollers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
	"watchword/bus/event"
	"watchword/pollers/onepassword"
	"watchword/pollers/onepassword/simulator"
)

// TestFaultsLoseNothing drains a world through everything that can go wrong by
// chance, and looks for the token in all that was said meanwhile.
func TestFaultsLoseNothing(t *testing.T) {
	world := smallWorld(10, false)
	rates := map[simulator.FaultKind]float64{}
	for _, k := range simulator.FaultKinds() {
		rates[k] = 0.02
	}
	delete(rates, simulator.FaultThrottled) // its Retry-After is whole seconds; it has its own test
	r := newRig(t, world, simulator.Options{})
	r.sim = nil
	sim := simulator.New(simulator.Config{
		Worlds: []*simulator.World{world}, Clock: r.clock, Options: simulator.Options{PerMinute: -1, PerHour: -1},
		Faults: simulator.Faults{Seed: 3, Rates: rates, Each: simulator.Fault{Delay: time.Millisecond, Size: 600 << 10}},
	})
	r.sim, r.token = sim, sim.Token(world.Account())
	r.putToken(r.token)
	r.source.URL = serve(t, sim)
	p, stop := r.start(r.config())
	var said strings.Builder
	faulty := func() int {
		n := 0
		for _, k := range sim.State().Faults {
			n += k
		}
		return n
	}
	until(t, "a good many faults and every feed drained", func() bool {
		for _, s := range p.Status() {
			b, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			said.Write(b)
		}
		return faulty() > 40
	})
	sim.ClearFaults()
	r.drained(p)
	// What faults put into pages is no event; all else is there once.
	c := r.contents()
	for id, n := range c.times {
		if n > 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	for _, feed := range event.Feeds {
		world.Records(feed, func(rec simulator.Record) bool {
			if !rec.Available.After(r.clock.Now()) && c.times[event.ID("acme", feed, rec.UUID)] != 1 {
				t.Errorf("%s %s is there %d times", feed, rec.UUID, c.times[event.ID("acme", feed, rec.UUID)])
			}
			return true
		})
	}
	if len(c.aside) == 0 {
		t.Error("nothing was set aside, though pages held broken records")
	}
	stop()
	said.WriteString(r.log.String())
	for _, q := range c.aside {
		said.Write(q.Bytes)
		said.WriteString(q.Reason)
	}
	for _, part := range strings.Split(r.token, ".") {
		if strings.Contains(said.String(), part) {
			t.Error("a part of the token was said")
		}
	}
}

// TestEachFaultHasItsWords: what people read while one thing goes wrong, and
// that it is over when that is over.
func TestEachFaultHasItsWords(t *testing.T) {
	tests := []struct {
		kind simulator.FaultKind
		says string
	}{
		{simulator.FaultUnauthorized, "make a new token in Integrations → Events Reporting and put it into file"},
		{simulator.FaultForbidden, "forbids this (403)"},
		{simulator.FaultThrottled, "asks to wait 1s"},
		{simulator.FaultThrottledDry, "too many requests (429)"},
		{simulator.FaultServerError, "trouble of its own (500)"},
		{simulator.FaultBadGateway, "trouble of its own (502)"},
		{simulator.FaultUnavailable, "trouble of its own (503)"},
		{simulator.FaultTimeout, "trouble of its own (504)"},
		{simulator.FaultNotFound, "nothing at this address (404)"},
		{simulator.FaultCut, "ended in the middle"},
		{simulator.FaultReset, "no answer from"},
		{simulator.FaultBrokenJSON, "is not a page"},
	}
	for _, tt := range tests {
		t.Run(string(tt.kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, smallWorld(1, false), simulator.Options{})
			p, _ := r.start(r.config())
			r.drained(p)
			feed := event.FeedAuditEvents
			r.fail(simulator.Fault{Kind: tt.kind, Feed: feed, Times: -1})
			r.clock.Advance(time.Hour)
			until(t, "the trouble in the status", func() bool { return strings.Contains(p.Status()[2].Trouble, tt.says) })
			until(t, "the trouble in the marker", func() bool {
				m := r.marker(feed)
				return strings.Contains(m.Trouble, tt.says) && !m.TroubleSince.IsZero()
			})
			if s := p.Status()[2]; s.TroubleSince.IsZero() || s.Feed != feed {
				t.Errorf("status: %+v", s)
			}
			r.sim.ClearFaults()
			r.drained(p)
			if m := r.marker(feed); m.Trouble != "" || !m.TroubleSince.IsZero() || m.APIVersion != onepassword.V2 {
				t.Errorf("the marker still has %q of %s, %s", m.Trouble, m.TroubleSince, m.APIVersion)
			}
			r.wantAll()
		})
	}
}

func TestOneFeedsTroubleIsItsOwn(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	r.fail(simulator.Fault{Kind: simulator.FaultServerError, Feed: event.FeedItemUsages, Times: -1})
	p, _ := r.start(r.config())
	until(t, "two feeds drained, one in trouble", func() bool {
		s := p.Status()
		return s[0].LagSeconds == 60 && s[2].LagSeconds == 60 && s[1].Trouble != ""
	})
}

func TestCursorRefused(t *testing.T) {
	r := newRig(t, smallWorld(4, false), simulator.Options{})
	p, _ := r.start(r.config())
	r.drained(p)
	r.fail(simulator.Fault{Kind: simulator.FaultCursorRefused, Times: 3})
	r.clock.Advance(time.Hour)
	until(t, "the refusal is told", func() bool {
		for _, s := range p.Status() {
			for _, n := range s.Notices {
				if strings.Contains(n, "no longer accepts the saved position") {
					return true
				}
			}
		}
		return false
	})
	r.drained(p)
	r.wantAll()
}

// TestEveryCursorRefused: a server that takes no cursor at all lets the feed
// move on all the same.
func TestEveryCursorRefused(t *testing.T) {
	r := newRig(t, smallWorld(4, false), simulator.Options{})
	r.fail(simulator.Fault{Kind: simulator.FaultCursorRefused, Feed: event.FeedItemUsages, Times: -1})
	p, _ := r.start(r.config())
	r.drained(p)
	r.eventuallyAll()
}

func (r *rig) eventuallyAll() {
	r.t.Helper()
	want := 0
	for _, feed := range event.Feeds {
		r.world.Records(feed, func(rec simulator.Record) bool {
			if !rec.Available.After(r.clock.Now()) {
				want++
			}
			return true
		})
	}
	until(r.t, "every record", func() bool { return len(r.contents().events) >= want })
	r.wantAll()
}

func TestFallsBackToV1(t *testing.T) {
	r := newRig(t, smallWorld(2, false), simulator.Options{NoV2: true})
	p, stop := r.start(r.config())
	r.drained(p)
	r.wantAll()
	if m := r.marker(event.FeedSigninAttempts); m.APIVersion != onepassword.V1 {
		t.Errorf("marker: %+v", m)
	}
	stop()
	// The server learns v2: the same records look different, and are known.
	r.sim = simulator.New(simulator.Config{Worlds: []*simulator.World{r.world}, Clock: r.clock, Options: simulator.Options{PerMinute: -1, PerHour: -1}})
	r.source.URL = serve(t, r.sim)
	r.putToken(r.sim.Token(r.world.Account()))
	r.clock.Advance(2 * time.Hour) // sweeps re-read too
	p, _ = r.start(r.config())
	r.eventually(p, "v2 again, and a sweep", func(s FeedStatus) bool {
		m := r.marker(s.Feed)
		return m.APIVersion == onepassword.V2 && !m.Sweeps["24h"].IsZero() && s.Trouble == ""
	})
	if c := r.wantAll(); len(c.aside) > 0 {
		t.Errorf("%d records were set aside: %s", len(c.aside), c.aside[0].Reason)
	}
}

func TestClockSkewNeverClaimsTooMuch(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	c := r.config()
	var ahead atomic.Int64
	c.Now = func() time.Time { return r.clock.Now().Add(time.Duration(ahead.Load())) }
	ahead.Store(int64(2 * time.Hour)) // this machine's clock is wrong; the server's is right
	p, _ := r.start(c)
	bound := r.clock.Now().Add(-time.Minute)
	until(t, "complete up to the server's clock", func() bool { return p.Status()[0].Watermark.Equal(bound) })
	ahead.Store(int64(-2 * time.Hour)) // behind: the watermark stands, and no event is from the future
	r.clock.Advance(time.Hour)
	polled := p.Status()[0].Polled
	until(t, "another poll", func() bool { return !p.Status()[0].Polled.Equal(polled) })
	if w := p.Status()[0].Watermark; w.After(r.clock.Now()) || w.Before(bound) {
		t.Errorf("the watermark moved to %s", w)
	}
	r.eventuallyAll()
	for _, e := range r.contents().events {
		if e.TimeSuspect {
			t.Fatalf("%s is suspect", e.ID)
		}
	}
}

func TestFullStreamStopsIntakeAndResumes(t *testing.T) {
	r := newRig(t, smallWorld(6, false), simulator.Options{})
	full := &fullStream{stream: r.bus}
	full.full.Store(true)
	c := r.config()
	c.Bus = full
	p, _ := r.start(c)
	r.eventually(p, "intake stands still", func(s FeedStatus) bool {
		return strings.Contains(s.Trouble, "intake stands still") && strings.Contains(s.Trouble, "raise the stream's limit")
	})
	tries := full.tries.Load()
	until(t, "more tries", func() bool { return full.tries.Load() > tries+20 })
	if n := strings.Count(r.log.String(), "intake stands still"); n != 3 {
		t.Errorf("want one line for each feed, have %d", n)
	}
	if n := len(r.contents().events); n > 0 {
		t.Errorf("%d events were stored", n)
	}
	full.full.Store(false)
	r.drained(p)
	r.wantAll()
}

// TestStreamAtItsLimit is the same with the server's own refusal.
func TestStreamAtItsLimit(t *testing.T) {
	r := newRig(t, smallWorld(6, false), simulator.Options{})
	store := bustest.NewStore(t)
	store.Config.Limits.EventsBytes = 1 << 20
	r.bus = store.Open()
	p, stop := r.start(r.config())
	until(t, "intake stands still", func() bool {
		for _, s := range p.Status() {
			if strings.Contains(s.Trouble, "intake stands still") {
				return true
			}
		}
		return false
	})
	stop()
	if n := len(r.contents().events); n == 0 {
		t.Error("nothing was stored before")
	}
	store.Config.Limits.EventsBytes = 64 << 20
	r.bus = store.Open()
	p, _ = r.start(r.config())
	r.drained(p)
	r.wantAll()
}

// fullStream is a stream whose disk is full at times.
type fullStream struct {
	stream
	full  atomic.Bool
	tries atomic.Int64
}

func (f *fullStream) Commit(ctx context.Context, s string, fence bus.Fence, msgs []bus.Message) (uint64, error) {
	f.tries.Add(1)
	if f.full.Load() {
		return 0, fmt.Errorf("commit: %w", bus.ErrFull)
	}
	return f.stream.Commit(ctx, s, fence, msgs)
}
