package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
	"watchword/bus/event"
	"watchword/detectors"
	"watchword/pollers"
	"watchword/pollers/onepassword"
	"watchword/pollers/onepassword/simulator"
	"watchword/pollers/onepassword/simulator/simulatortest"
	"watchword/rules"
	"watchword/rules/builtin"
)

// BenchmarkPipeline compares what we do with events with what JetStream does
// with the same messages, on the same kind of store, in the same run:
//
//	raw       atomic batches of 500 published, then consumed
//	intake    the API's pages decoded, checked and committed (the API itself answers from memory)
//	detect    EVENTS read, matched by the built-in rules, folded, decided
//	pipeline  intake and detect at the same time, until all is decided
//
// Raw does no decoding: an event costs about 5 µs to decode, twice in intake
// and once in detect, where publishing and consuming it costs some 20 µs. On two
// cores the pipeline reaches about 0.3 of raw.
func BenchmarkPipeline(b *testing.B) {
	set, problems := rules.Load(rules.Folder{Name: "builtin", FS: builtin.FS})
	if problems.HasErrors() {
		b.Fatal(problems)
	}
	feeds := newBenchFeeds(b)
	var raw, intake, detect, pipeline time.Duration
	for range b.N {
		store := bustest.NewStore(b)
		store.Config.Logger = slog.New(slog.DiscardHandler)
		intake += feeds.run(b, store.Open(), nil)
		detect += feeds.detect(b, store.Open(), set)
		raw += feeds.raw(b, store.Open())
		store.Close()
		other := bustest.NewStore(b)
		other.Config.Logger = store.Config.Logger
		pipeline += feeds.run(b, other.Open(), set)
		other.Close()
	}
	rate := func(d time.Duration) float64 { return float64(b.N*feeds.events) / d.Seconds() }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate(raw), "raw/s")
	b.ReportMetric(rate(intake), "intake/s")
	b.ReportMetric(rate(detect), "detect/s")
	b.ReportMetric(rate(pipeline), "pipeline/s")
	b.ReportMetric(rate(intake)/rate(raw), "intake/raw")
	b.ReportMetric(rate(detect)/rate(raw), "detect/raw")
	b.ReportMetric(rate(pipeline)/rate(raw), "pipeline/raw")
}

// benchFeeds is an account whose answers have all been given once.
type benchFeeds struct {
	source  pollers.Source
	answers *memory
	events  int
	now     time.Time
}

func newBenchFeeds(b *testing.B) *benchFeeds {
	start := time.Now().UTC().AddDate(0, 0, -20)
	w := simulator.NewWorld(simulator.WorldConfig{Seed: 3, People: 120, Days: 14, Start: start})
	now := w.Complete().Add(time.Minute)
	sim := simulatortest.Start(b, simulator.Config{
		Worlds: []*simulator.World{w}, Clock: simulator.NewManualClock(now), Options: simulator.Options{PerMinute: -1, PerHour: -1},
	})
	token, err := onepassword.ParseToken(sim.Token(w.Account()))
	if err != nil {
		b.Fatal(err)
	}
	f := &benchFeeds{
		source: pollers.Source{
			Name: "acme", URL: sim.URL, Token: onepassword.Fixed("the benchmark", token),
			Interval: time.Hour, Start: pollers.Start{At: w.Start()}, Enabled: true,
		},
		answers: &memory{next: onepassword.NewTransport(), answers: map[string]answer{}},
		now:     now,
	}
	for _, feed := range event.Feeds {
		f.events += w.Count(feed)
	}
	bus := bustest.New(b)
	f.run(b, bus, nil) // fills the memory
	return f
}

// run polls all there is into the bus and, with a set of rules, decides it at
// the same time. It returns how long that took.
func (f *benchFeeds) run(b *testing.B, to *bus.Bus, set *rules.Set) time.Duration {
	b.Helper()
	p, err := pollers.New(pollers.Config{
		Bus: to, Sources: []pollers.Source{f.source}, Logger: slog.New(slog.DiscardHandler), Transport: f.answers,
		Now: func() time.Time { return f.now }, PerMinute: 1_000_000, PerHour: 10_000_000,
	})
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Serve(ctx) })
	defer wg.Wait()
	defer cancel()
	if set == nil {
		for !f.stored(p) {
			time.Sleep(2 * time.Millisecond)
		}
		return time.Since(start)
	}
	w := detectors.New(detectors.Config{Bus: to, Rules: set})
	wg.Go(func() { _ = w.Serve(ctx) })
	for !f.stored(p) || !decided(b, to, w) {
		time.Sleep(2 * time.Millisecond)
	}
	return time.Since(start)
}

func (f *benchFeeds) detect(b *testing.B, from *bus.Bus, set *rules.Set) time.Duration {
	b.Helper()
	start := time.Now()
	ctx, cancel := context.WithCancel(b.Context())
	w := detectors.New(detectors.Config{Bus: from, Rules: set})
	var wg sync.WaitGroup
	wg.Go(func() { _ = w.Serve(ctx) })
	defer wg.Wait()
	defer cancel()
	for !decided(b, from, w) {
		time.Sleep(2 * time.Millisecond)
	}
	return time.Since(start)
}

// raw publishes and consumes what the bus holds.
func (f *benchFeeds) raw(b *testing.B, from *bus.Bus) time.Duration {
	b.Helper()
	var msgs []bus.Message
	err := eachStored(b.Context(), from, bus.Events, bus.AllEvents, func(m bus.Stored) error {
		msgs = append(msgs, bus.Message{Subject: m.Subject, Data: bytes.Clone(m.Data)})
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	raw := bustest.NewRaw(b)
	defer raw.Stop()
	return raw.PublishAtomic(b, msgs) + raw.Consume(b, len(msgs))
}

func (f *benchFeeds) stored(p *pollers.Pollers) bool {
	n := 0
	for _, feed := range p.Status() {
		n += int(feed.Counts.Events)
	}
	return n >= f.events
}

func decided(b *testing.B, in *bus.Bus, w *detectors.Worker) bool {
	b.Helper()
	info, err := in.Info(b.Context(), bus.Events)
	if err != nil {
		b.Fatal(err)
	}
	return w.Status().Position >= info.LastSeq
}

// memory is a transport that answers what was asked before from memory.
type memory struct {
	next    http.RoundTripper
	mu      sync.Mutex // guards answers
	answers map[string]answer
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	question := r.URL.Path
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		question += " " + string(body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	m.mu.Lock()
	a, known := m.answers[question]
	m.mu.Unlock()
	if !known {
		resp, err := m.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		a = answer{resp.StatusCode, resp.Header, body}
		m.mu.Lock()
		m.answers[question] = a
		m.mu.Unlock()
	}
	return &http.Response{
		StatusCode: a.status, Header: a.header.Clone(), Body: io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}
