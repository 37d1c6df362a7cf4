package pollers

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/event"
	"watchword/pollers/onepassword/simulator"
)

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// brittle is a stream that ends its user at the nth commit, before it is
// stored, behind it, or with the outcome hidden.
type brittle struct {
	stream
	mu   sync.Mutex
	left int
	how  string
	kill context.CancelFunc
}

var errCrash = errors.New("the process is gone")

func (b *brittle) Commit(ctx context.Context, s string, fence bus.Fence, msgs []bus.Message) (uint64, error) {
	b.mu.Lock()
	b.left--
	strike := b.left == 0
	b.mu.Unlock()
	if strike && b.how == "before" {
		b.kill()
		return 0, errCrash
	}
	seq, err := b.stream.Commit(ctx, s, fence, msgs)
	switch {
	case strike && b.how == "behind":
		b.kill()
		return 0, errCrash
	case strike && b.how == "unknown":
		return 0, bus.ErrUnavailable
	}
	return seq, err
}

// TestRestartAtEveryCommit kills the pollers at each commit in turn, before and
// behind it, and hides the outcome of some, all on one store.
func TestRestartAtEveryCommit(t *testing.T) {
	r := newRig(t, smallWorld(8, false), simulator.Options{})
	how := []string{"before", "behind", "unknown"}
	for n := 1; n <= 15; n++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		c := r.config()
		b := &brittle{stream: r.bus, left: 1 + n%4, how: how[n%3], kill: cancel}
		c.Bus = b
		p, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { defer close(done); _ = p.Serve(ctx) }()
		if b.how == "unknown" {
			until(t, "a few commits more", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.left < -4 })
			cancel()
		}
		<-done
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Fatalf("run %d came to no end", n)
		}
		cancel()
	}
	p, _ := r.start(r.config())
	r.drained(p)
	r.wantAll()
}

// TestTwoPollersRace runs two processes' pollers over one stream.
func TestTwoPollersRace(t *testing.T) {
	r := newRig(t, smallWorld(8, false), simulator.Options{})
	a, stopA := r.start(r.config())
	b, _ := r.start(r.config())
	standing := func(p *Pollers) bool {
		for _, s := range p.Status() {
			if s.Standby {
				return true
			}
		}
		return false
	}
	until(t, "one stands by", func() bool { return standing(a) || standing(b) })
	for range 5 {
		r.clock.Advance(10 * time.Minute)
		r.drained(a)
		r.drained(b)
	}
	stopA()
	r.clock.Advance(time.Hour)
	r.drained(b) // takes over
	r.wantAll()
}

// TestTwoFeedsInStep is the race in the worst order: both read the marker, both
// fetch the same page, then both store.
func TestTwoFeedsInStep(t *testing.T) {
	r := newRig(t, smallWorld(4, false), simulator.Options{})
	ctx := t.Context()
	actor := func() *feed {
		p, err := New(r.config())
		if err != nil {
			t.Fatal(err)
		}
		f := p.feeds[1]
		f.waits = f.config.backoff()
		if err := f.recall(ctx); err != nil {
			t.Fatal(err)
		}
		return f
	}
	a, b := actor(), actor()
	if a.name != event.FeedItemUsages {
		t.Fatal(a.name)
	}
	for round := 0; a.marker.HasMore || round < 2; round++ {
		fromA, fromB := a.where(), b.where()
		pageA, passA, err := a.ask(ctx, fromA, 0)
		if err != nil {
			t.Fatal(err)
		}
		pageB, passB, err := b.ask(ctx, fromB, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(pageB.Items) == 0 && round == 0 {
			t.Fatal("nothing to race for")
		}
		if err := a.take(ctx, fromA, pageA, passA); err != nil {
			t.Fatal(err)
		}
		if err := b.take(ctx, fromB, pageB, passB); !errors.Is(err, bus.ErrFenced) {
			t.Fatalf("round %d: want the slower one fenced, have %v", round, err)
		}
		b.failed(ctx, bus.ErrFenced)
		if !b.standby.active {
			t.Fatal("the slower one does not stand by")
		}
		b.standby = standby{} // and wakes up too early
		if err := b.recall(ctx); err != nil {
			t.Fatal(err)
		}
		if len(b.known.events) != len(a.known.events) {
			t.Fatalf("round %d: one knows %d ids, the other %d", round, len(a.known.events), len(b.known.events))
		}
		a, b = b, a
		if round > 50 {
			t.Fatal("the feed does not end")
		}
	}
	for id, n := range r.contents().times {
		if n > 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
}

// TestLostMarkerFetchesAgain: a log that lost its tail has lost the cursor with
// it; what is left of the events is known.
func TestLostMarkerFetchesAgain(t *testing.T) {
	r := newRig(t, smallWorld(4, false), simulator.Options{})
	p, stop := r.start(r.config())
	r.drained(p)
	stop()
	first := r.marker(event.FeedAuditEvents).First
	// A marker that cannot be read stands for one that is gone.
	for _, feed := range event.Feeds {
		subject := bus.ProgressSubject("acme", feed)
		m, err := r.bus.Last(t.Context(), bus.Events, subject)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.bus.Commit(t.Context(), bus.Events, bus.Fence{Subject: subject, Last: m.Seq},
			[]bus.Message{{Subject: subject, Data: []byte("{"), Rollup: true, Keep: true}}); err != nil {
			t.Fatal(err)
		}
	}
	r.clock.Advance(time.Hour)
	p, _ = r.start(r.config())
	r.drained(p)
	r.wantAll()
	if m := r.marker(event.FeedAuditEvents); !m.First.Equal(first) {
		t.Errorf("want the first connection at %s, have %s", first, m.First)
	}
}
