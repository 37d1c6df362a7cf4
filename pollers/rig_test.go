package pollers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
	"watchword/bus/event"
	"watchword/pollers/onepassword"
	"watchword/pollers/onepassword/simulator"
)

// rig is a simulated account, the real bus and a source that joins them.
type rig struct {
	t      *testing.T
	clock  *simulator.ManualClock
	world  *simulator.World
	sim    *simulator.Simulator
	bus    *bus.Bus
	token  string
	file   string // the source's token file
	source Source
	log    *logBuffer
}

// world makes a small world without stories; its history ends at its End.
func smallWorld(days int, late bool) *simulator.World {
	return simulator.NewWorld(simulator.WorldConfig{
		Seed: 7, People: 12, Days: days, Events: 500 * days, LateItemUsages: late, Stories: []string{},
	})
}

// newRig serves the world at its end.
func newRig(t *testing.T, world *simulator.World, o simulator.Options) *rig {
	t.Helper()
	r := &rig{t: t, world: world, clock: simulator.NewManualClock(world.End()), log: &logBuffer{}}
	// The manual clock stands, and with it the server's windows.
	o.PerMinute, o.PerHour = -1, -1
	r.sim = simulator.New(simulator.Config{Worlds: []*simulator.World{world}, Clock: r.clock, Options: o})
	server := httptest.NewServer(r.sim)
	t.Cleanup(server.Close)
	r.token = r.sim.Token(world.Account())
	r.file = filepath.Join(t.TempDir(), "token")
	r.putToken(r.token)
	r.bus = bustest.New(t)
	r.source = sourceAt(server.URL, r.file)
	return r
}

func sourceAt(url, file string) Source {
	return Source{
		Name: "acme", URL: url, Token: onepassword.FromFile(file), Interval: 5 * time.Millisecond, Enabled: true,
	}
}

func (r *rig) putToken(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(text+"\n"), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) config() Config {
	return Config{
		Bus: r.bus, Sources: []Source{r.source}, Now: r.clock.Now,
		Logger:     slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		RetryFirst: time.Millisecond, RetryMost: 4 * time.Millisecond, RetrySlow: 10 * time.Millisecond,
		RequestTimeout: 2 * time.Second, PerMinute: 1_000_000, PerHour: 10_000_000,
	}
}

// start runs pollers until the test ends or the returned function is called.
func (r *rig) start(c Config) (*Pollers, func()) {
	r.t.Helper()
	p, err := New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Serve(ctx) }()
	stop := sync.OnceFunc(func() { cancel(); <-done })
	r.t.Cleanup(stop)
	return p, stop
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s for: %s", what)
		}
	}
}

// drained waits until every feed is complete up to the simulator's clock.
func (r *rig) drained(p *Pollers) {
	r.t.Helper()
	r.eventually(p, "every feed is drained", func(s FeedStatus) bool {
		return s.Trouble == "" && s.LagSeconds <= int64(margin(s.Feed)/time.Second) && !s.Watermark.IsZero()
	})
}

// eventually waits until the condition holds for every feed.
func (r *rig) eventually(p *Pollers, what string, ok func(FeedStatus) bool) {
	r.t.Helper()
	defer func() {
		if r.t.Failed() {
			for _, s := range p.Status() {
				r.t.Logf("%s: %s; trouble: %s; notices %q; %+v", s.Feed, s.State, s.Trouble, s.Notices, s.Counts)
			}
			r.t.Log(r.log.tail())
		}
	}()
	until(r.t, what, func() bool {
		for _, s := range p.Status() {
			if !ok(s) {
				return false
			}
		}
		return true
	})
}

// contents of EVENTS: events by id, how often each is there, and what was set aside.
type contents struct {
	events map[string]event.Event
	times  map[string]int
	aside  []event.Quarantined
}

func (r *rig) contents() contents {
	r.t.Helper()
	return read(r.t, r.bus)
}

func read(t *testing.T, b *bus.Bus) contents {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	info, err := b.Info(ctx, bus.Events)
	if err != nil {
		t.Fatal(err)
	}
	c := contents{events: map[string]event.Event{}, times: map[string]int{}}
	if info.LastSeq == 0 {
		return c
	}
	reader, err := b.Read(ctx, bus.Events, bus.ReadOptions{Filters: []string{bus.AllEvents, bus.AllQuarantined}, Until: info.LastSeq})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for {
		msgs, err := reader.Next(ctx, 1000)
		if errors.Is(err, io.EOF) {
			return c
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range msgs {
			if strings.HasPrefix(m.Subject, "quarantine.") {
				q, err := event.DecodeQuarantined(m.Data)
				if err != nil {
					t.Fatal(err)
				}
				c.aside = append(c.aside, q)
				continue
			}
			e, err := event.Decode(m.Data)
			if err != nil {
				t.Fatal(err)
			}
			head, err := event.ReadHead(event.FeedOf(e.Kind), e.Raw)
			if err != nil {
				t.Fatal(err)
			}
			if want := bus.EventSubject(&e, head.Entity); m.Subject != want {
				t.Errorf("want subject %s, have %s", want, m.Subject)
			}
			c.events[e.ID] = e
			c.times[e.ID]++
		}
	}
}

// wantAll checks that EVENTS holds each record that can be had now exactly once.
func (r *rig) wantAll() contents {
	r.t.Helper()
	c := r.contents()
	total := 0
	for _, feed := range event.Feeds {
		missing := 0
		r.world.Records(feed, func(rec simulator.Record) bool {
			if rec.Available.After(r.clock.Now()) {
				return true
			}
			total++
			switch n := c.times[event.ID("acme", feed, rec.UUID)]; {
			case n == 0:
				missing++
			case n > 1:
				r.t.Errorf("%s %s is there %d times", feed, rec.UUID, n)
			}
			return true
		})
		if missing > 0 {
			r.t.Errorf("%s: %d records are missing", feed, missing)
		}
	}
	if len(c.events) != total {
		r.t.Errorf("want %d events, have %d", total, len(c.events))
	}
	return c
}

func (r *rig) marker(feed event.Feed) event.Progress {
	r.t.Helper()
	m, err := r.bus.Last(r.t.Context(), bus.Events, bus.ProgressSubject("acme", feed))
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := event.DecodeProgress(m.Data)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) fail(f simulator.Fault) {
	r.t.Helper()
	if err := r.sim.Fail(f); err != nil {
		r.t.Fatal(err)
	}
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) tail() string {
	s := l.String()
	return s[max(0, len(s)-3000):]
}

// api serves one feed from a function: request in, status and body out.
func api(t *testing.T, page func(body string) (int, string)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasSuffix(r.URL.Path, "/introspect") {
			_, _ = io.WriteString(w, `{"uuid":"U","features":["signinattempts","itemusages","auditevents"]}`)
			return
		}
		status, answer := page(string(body))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
