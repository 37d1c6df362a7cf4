package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/thejerf/suture/v4"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/detectors"
	"watchword/pollers"
	"watchword/rules"
)

// app is the whole engine in one process. This file is the only wiring:
//
//	app
//	├── bus             the store: EVENTS and ALERTS, embedded or a server's
//	└── supervisor      restarts what fails, with backoff
//	    ├── bus         looks after disk and streams
//	    ├── pollers     1Password API ──► EVENTS, one actor for each source and feed
//	    ├── detectors   EVENTS ──► ALERTS, one worker for all partitions
//	    ├── follower    ALERTS ──► standard output
//	    └── reporter    what the others say of themselves ──► standard output
//
// No actor knows another; what they share is the bus. Everything they need is
// handed to them here.
type app struct {
	bus      *bus.Bus
	pollers  *pollers.Pollers
	worker   *detectors.Worker
	follower *follower
	reporter *reporter
	log      *slog.Logger
}

// appConfig is what an app is made of.
type appConfig struct {
	bus     bus.Config
	sources []pollers.Source
	rules   *rules.Set
	out     io.Writer // what people or machines read
	log     *slog.Logger
	now     func() time.Time
	json    bool
	colour  paint

	// tune changes what the pollers are made of, for tests that have no time to
	// wait as long as 1Password's limits ask for; nil: nothing.
	tune func(*pollers.Config)
}

// stopWait is how long each actor has to stop before the next is told to.
const stopWait = 10 * time.Second

// newApp opens the bus and builds the actors; run starts them.
func newApp(ctx context.Context, c appConfig) (*app, error) {
	c.bus.Logger = c.log.With("actor", "bus")
	b, err := bus.Open(ctx, c.bus)
	if err != nil {
		return nil, err
	}
	pc := pollers.Config{Bus: b, Sources: c.sources, Reach: c.rules.Reach(), Logger: c.log, Now: c.now}
	if c.tune != nil {
		c.tune(&pc)
	}
	p, err := pollers.New(pc)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	out := &screen{w: c.out}
	w := detectors.New(detectors.Config{Bus: b, Rules: c.rules, Generation: 1, Name: workerName(), Logger: c.log, Now: c.now})
	return &app{
		bus: b, pollers: p, worker: w, log: c.log,
		follower: &follower{
			bus: b, log: c.log, screen: out, now: c.now, colour: c.colour, json: c.json, summary: !c.json,
			match: func(*alert.Alert) bool { return true },
		},
		reporter: &reporter{feeds: p.Status, detector: w.Status, health: b.Health, screen: out, now: c.now, quiet: c.json},
	}, nil
}

// workerName tells workers apart on the ledgers they write.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// run runs the actors until ctx ends, then stops them in order: nothing more
// is taken in, what was taken in is decided and committed, and only then do the
// printing actors and the bus stop.
func (a *app) run(ctx context.Context) error {
	// The supervisor lives longer than ctx: it is still needed while the
	// actors stop one after the other.
	living, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	root := suture.New("watchword", suture.Spec{
		EventHook:         a.restarted,
		FailureThreshold:  5,
		FailureBackoff:    5 * time.Second,
		Timeout:           stopWait,
		PassThroughPanics: false,
	})
	var ordered []suture.ServiceToken
	for _, s := range []suture.Service{a.pollers, a.worker, a.follower, a.reporter, a.bus} {
		ordered = append(ordered, root.Add(s))
	}
	ended := root.ServeBackground(living)
	select {
	case err := <-ended:
		return fmt.Errorf("supervisor: %w", err)
	case <-ctx.Done():
	}
	var errs []error
	for _, token := range ordered {
		if err := root.RemoveAndWait(token, stopWait); err != nil {
			errs = append(errs, fmt.Errorf("stop: %w", err))
		}
	}
	cancel()
	<-ended
	return errors.Join(errs...)
}

// close closes the bus. It may be called twice.
func (a *app) close() error { return a.bus.Close() }

// restarted logs what the supervisor sees.
func (a *app) restarted(e suture.Event) {
	switch e := e.(type) {
	case suture.EventServiceTerminate:
		a.log.Error("an actor failed and is started again", "actor", e.ServiceName, "err", e.Err, "restarting", e.Restarting)
	case suture.EventServicePanic:
		a.log.Error("an actor panicked and is started again", "actor", e.ServiceName, "panic", e.PanicMsg, "stack", e.Stacktrace)
	case suture.EventBackoff:
		a.log.Warn("actors fail again and again; waiting before the next start")
	case suture.EventStopTimeout:
		a.log.Error("an actor does not stop", "actor", e.ServiceName)
	}
}

// screen is standard output shared by the actors that print: each print is
// whole, never mixed with another's.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	blank bool // the last line printed is empty
}

// print prints whole lines.
func (s *screen) print(lines string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Who closed our output does not want to hear; the store keeps the alerts.
	_, _ = io.WriteString(s.w, lines)
	s.blank = false
}

// block prints lines with an empty one before and after them.
func (s *screen) block(lines string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.blank {
		lines = "\n" + lines
	}
	_, _ = io.WriteString(s.w, lines+"\n")
	s.blank = true
}
