package detectors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"watchword/bus"
	"watchword/rules"
)

// batchSize is how many messages are read, folded and decided together.
const batchSize = 500

// ledgerEvery is how often ledgers move when there is nothing to alert.
const ledgerEvery = 30 * time.Second

// Limits bound what a worker holds in memory.
type Limits struct {
	KeyHits int // newest hits held for one rule and key; older ones are cut and the alert says so
	Hits    int // hits held in all; beyond it cold keys are dropped and read again when touched
}

// DefaultLimits hold about 1 GiB at the most.
func DefaultLimits() Limits { return Limits{KeyHits: 150_000, Hits: 5_000_000} }

// Config is what a worker needs.
type Config struct {
	Bus        *bus.Bus
	Rules      *rules.Set
	Generation uint64 // of the rule set, written on alerts and ledgers
	Name       string // of this worker, written on ledgers

	// Owned tells which partitions the worker decides; nil means all.
	Owned func(partition int) bool

	Limits Limits // zero fields take DefaultLimits
	Logger *slog.Logger
	Now    func() time.Time // wall clock, for what people read; nil means time.Now
}

// Worker is the actor that reads EVENTS and decides the partitions it owns.
type Worker struct {
	c   Config
	log *slog.Logger

	mu     sync.Mutex // guards status
	status Status
}

// New makes a worker; Serve runs it.
func New(c Config) *Worker {
	d := DefaultLimits()
	if c.Limits.KeyHits == 0 {
		c.Limits.KeyHits = d.KeyHits
	}
	if c.Limits.Hits == 0 {
		c.Limits.Hits = d.Hits
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Worker{c: c, log: c.Logger.With("actor", "detector")}
}

// Serve takes over the partitions from where their ledgers stand and decides
// until ctx ends or something fails. It may be called again: each call starts
// from the log alone. An error that wraps bus.ErrFenced says that another
// worker decides the same partitions.
func (w *Worker) Serve(ctx context.Context) error {
	s, err := w.takeOver(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.trouble(err)
		return fmt.Errorf("take over: %w", err)
	}
	defer s.reader.Close()
	err = s.run(ctx)
	if ctx.Err() != nil {
		s.leave()
		return ctx.Err()
	}
	w.trouble(err)
	return err
}

// run reads, folds and decides until ctx ends.
func (s *state) run(ctx context.Context) error {
	for {
		msgs, err := s.reader.Next(ctx, batchSize)
		if err != nil {
			return fmt.Errorf("read %s: %w", bus.Events, err)
		}
		for i := range msgs {
			if err := s.take(ctx, &msgs[i]); err != nil {
				return err
			}
		}
		// What stands at or before the position read is all there is up to it.
		if err := s.resumeBefore(ctx, s.position+1); err != nil {
			return err
		}
		if err := s.decide(ctx); err != nil {
			return err
		}
		if s.w.c.Now().Sub(s.ledgersMoved) >= ledgerEvery {
			if err := s.moveLedgers(ctx); err != nil {
				return err
			}
		}
		s.prune()
		s.report()
	}
}

// leave moves the ledgers on a graceful stop, so that the next start has
// little to read. Failing at it costs only that.
func (s *state) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := s.moveLedgers(ctx); err != nil && !errors.Is(err, bus.ErrFenced) {
		s.w.log.Warn("ledgers were not moved on stopping", "err", err)
	}
}
