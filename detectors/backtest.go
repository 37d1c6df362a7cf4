package detectors

import (
	"context"
	"fmt"
	"hash/maphash"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"watchword/bus/event"
	"watchword/detectors/pattern"
	"watchword/rules"
)

// Record is a line of a file of events, or a message of EVENTS: what
// event.ReadLine reads.
type Record struct {
	File   int    // which file it is of, where there are several; told to Unused
	Number uint64 // of the line, from 1; or the message's sequence
	Data   []byte // the receiver's to keep
	Err    error  // why there is no Data; then it is an unreadable record
}

// Backtest evaluates rules over a history: the events of a file or a store, in
// any order, read once. It matches and folds as a Worker does, publishes
// nothing and has no effect beyond what it returns.
//
// It holds hits, not events, and some 40 bytes for each event to know it again.
// An event that comes twice counts once. A second one with a known id and other
// content is set aside, as pollers do.
type Backtest struct {
	// Sets are evaluated side by side over the same events.
	Sets []*rules.Set
	// Source is that of the records that do not say theirs.
	Source string
	// Stored says that the records are messages of EVENTS.
	Stored bool
	// Keep says which events are evaluated; nil: all. Several goroutines call it.
	Keep func(*event.Fields) bool
	// Since leaves out what ended before. Events before it are evaluated as far
	// back as the rules reach. Zero: nothing is left out.
	Since time.Time
	// Unused is told of each record that cannot be read or is set aside, in the
	// order they came in, within Run; nil: they are counted only.
	Unused func(file int, number uint64, reason error)
}

// From is the time before which events do not matter; zero: all do.
func (b *Backtest) From() time.Time {
	if b.Since.IsZero() {
		return b.Since
	}
	var reach time.Duration
	for _, s := range b.Sets {
		reach = max(reach, s.Reach())
	}
	return b.Since.Add(-reach)
}

// batch is some records on their way: read, evaluated by any worker, and taken
// in in the order they were read.
type batch struct {
	records []Record
	done    chan struct{} // closed when the records are evaluated
	events  []evaluated
	hits    []setHit
}

// evaluated is what became of a record.
type evaluated struct {
	file    int
	number  uint64
	err     error // it cannot be read
	left    bool  // Keep left it out
	id      string
	key     eventKey
	content uint64
	time    time.Time
	hits    int // how many of the batch's hits are its own
}

// setHit is a hit for one of the sets.
type setHit struct {
	set int
	key foldKey
	hit pattern.Hit
}

// Run reads all records and evaluates them. read calls yield with some
// hundreds of records at a time, as they lie; yield fails when Run gives up.
// The error is that of read, or ctx's.
func (b *Backtest) Run(ctx context.Context, read func(yield func([]Record) error) error) (*History, error) {
	workers := runtime.GOMAXPROCS(0)
	h := newHistory(b.Sets, b.Since)
	seeds := newEventSeeds()
	queue := make(chan *batch, 2*workers) // in the order read; its length bounds what is in flight
	work := make(chan *batch, workers)

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(queue)
		defer close(work)
		return read(func(records []Record) error {
			next := &batch{records: records, done: make(chan struct{})}
			for _, to := range []chan *batch{queue, work} {
				select {
				case to <- next:
				case <-ctx.Done():
					close(next.done) // whichever queue has it already
					return ctx.Err()
				}
			}
			return nil
		})
	})
	evaluators := make([]*evaluator, workers)
	for i := range evaluators {
		e := newEvaluator(b, seeds)
		evaluators[i] = e
		g.Go(func() error {
			for next := range work {
				e.evaluate(next)
				close(next.done)
			}
			return nil
		})
	}
	for next := range queue {
		<-next.done
		h.take(next, b.Unused)
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	for _, e := range evaluators {
		h.count(e.matchers)
	}
	h.arrange()
	return h, nil
}

// evaluator reads records and matches their events; it belongs to one goroutine.
type evaluator struct {
	*Backtest
	seeds    eventSeeds
	matchers []*rules.Matcher // for each set
	from     time.Time        // earlier events are left out
}

func newEvaluator(b *Backtest, seeds eventSeeds) *evaluator {
	e := &evaluator{Backtest: b, seeds: seeds, from: b.From()}
	for _, s := range b.Sets {
		e.matchers = append(e.matchers, s.Matcher())
	}
	return e
}

func (e *evaluator) evaluate(b *batch) {
	b.events = make([]evaluated, len(b.records))
	for i, r := range b.records {
		b.events[i] = e.one(r, b)
	}
	b.records = nil
}

func (e *evaluator) one(r Record, b *batch) evaluated {
	out := evaluated{file: r.File, number: r.Number, err: r.Err}
	if r.Err != nil {
		return out
	}
	ev, f, err := event.ReadLine(r.Data, e.Source)
	out.err, out.id, out.time = err, ev.ID, ev.Time
	if err != nil {
		return out
	}
	if ev.Time.Before(e.from) || e.Keep != nil && !e.Keep(&f) {
		out.left = true
		return out
	}
	out.key, out.content = e.seeds.event(&f)
	h := hitter{e: &ev, f: &f}
	if e.Stored {
		h.seq = r.Number
	}
	before := len(b.hits)
	for set, m := range e.matchers {
		m.Match(f, func(mt rules.Match) {
			b.hits = append(b.hits, setHit{set, foldKey{mt.Rule, mt.Key}, h.hit(mt)})
		})
	}
	out.hits = len(b.hits) - before
	return out
}

// eventKey names an event in few bytes: 128 bits of hash of its id.
type eventKey [2]uint64

// eventSeeds make the hashes of one run.
type eventSeeds [3]maphash.Seed

func newEventSeeds() eventSeeds {
	return eventSeeds{maphash.MakeSeed(), maphash.MakeSeed(), maphash.MakeSeed()}
}

// event hashes the id, and what rules can see of the event. As for pollers,
// what only some answers of the API say is no other content.
func (s eventSeeds) event(f *event.Fields) (eventKey, uint64) {
	seen := *f
	seen.User.Type, seen.Account = "", ""
	return eventKey{maphash.String(s[0], f.ID), maphash.String(s[1], f.ID)}, maphash.Comparable(s[2], seen)
}
