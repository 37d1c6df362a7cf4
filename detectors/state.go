package detectors

import (
	"context"
	"fmt"
	"strings"
	"time"

	"watchword/bus"
	"watchword/bus/event"
	"watchword/detectors/pattern"
	"watchword/rules"
)

// state is all that a worker knows between taking over and stopping. Only the
// goroutine of Serve touches it.
type state struct {
	w       *Worker
	matcher *rules.Matcher
	reader  *bus.Reader
	parts   [bus.Partitions]*partition // nil where not owned

	created time.Time     // of EVENTS: its identity
	lastSeq uint64        // of EVENTS, when taking over
	maxAge  time.Duration // of EVENTS
	base    time.Time     // hits are read from here; zero: from the beginning

	warming  int      // partitions not resumed yet
	position uint64   // EVENTS sequence read up to
	decided  uint64   // EVENTS sequence decided up to by the partitions that are resumed
	event    Position // the newest event read

	coverage *coverage
	pruned   map[string]time.Time // by source ("" across sources): folds without a hit since were let go
	hits     int                  // held in all

	ledgersMoved time.Time // wall clock

	events, alerts, rebuilt, tooLate, poison, cut, trimmed uint64 // since the last report

	trouble      string
	troubleSince time.Time
}

func newState(w *Worker) *state {
	s := &state{
		w: w, matcher: w.c.Rules.Matcher(),
		coverage: newCoverage(), pruned: map[string]time.Time{},
	}
	for n := range s.parts {
		if w.c.Owned == nil || w.c.Owned(n) {
			s.parts[n] = newPartition(n)
		}
	}
	return s
}

func (s *state) setTrouble(why string) {
	if s.trouble != why {
		s.trouble, s.troubleSince = why, s.w.c.Now()
	}
}

// take takes in one message of EVENTS.
func (s *state) take(ctx context.Context, m *bus.Stored) error {
	if err := s.resumeBefore(ctx, m.Seq); err != nil {
		return err
	}
	s.position = m.Seq
	if strings.HasPrefix(m.Subject, "progress.") {
		p, err := event.DecodeProgress(m.Data)
		if err != nil {
			s.poisoned(m, err)
			return nil
		}
		s.coverage.note(p, m.Time)
		return nil
	}
	s.event = Position{Seq: m.Seq, Time: m.Time}
	s.events++
	e, err := event.Decode(m.Data)
	if err != nil {
		s.poisoned(m, err)
		return nil
	}
	f, err := e.Fields()
	if err != nil {
		s.poisoned(m, err)
		return nil
	}
	if !e.Late && !e.TimeSuspect {
		// Only the newest marker is kept, so in a log that is read again none
		// stands behind most events. An event that was in time says as much.
		s.coverage.note(event.Progress{Source: e.Source, Feed: event.FeedOf(e.Kind), Watermark: e.Time}, m.Time)
	}
	h := hitter{e: &e, f: &f, seq: m.Seq}
	s.matcher.Match(f, func(mt rules.Match) {
		k := foldKey{mt.Rule, mt.Key}
		if p := s.parts[PartitionOf(mt.Rule.ID, mt.Key)]; p != nil {
			s.add(p, k, h.hit(mt), e.Late)
		}
	})
	return nil
}

// poisoned counts a stored message that cannot be read. It stays where it is
// in EVENTS, and the stream moves on.
func (s *state) poisoned(m *bus.Stored, err error) {
	s.poison++
	s.w.log.Error("stored message cannot be read and is passed over", "subject", m.Subject, "seq", m.Seq, "err", err)
}

// add queues a hit for its fold, which is made when it is the first.
func (s *state) add(p *partition, k foldKey, h pattern.Hit, late bool) {
	ks := p.keys[k]
	if ks == nil {
		source, _ := k.key.Split()
		ks = &keyState{source: source, fold: pattern.New(&k.rule.Pattern, s.from(k, source), s.w.c.Limits.KeyHits), fresh: p.resumed}
		if _, ks.lost = p.cold[k]; ks.lost {
			delete(p.cold, k)
		}
		p.keys[k] = ks
	}
	ks.late = ks.late || late
	ks.pending = append(ks.pending, h)
	ks.touched = h.Seq
	p.queue(k, ks)
}

// from is the time from which a new fold of the key would hold every hit: what
// is older has either not been read or been let go.
func (s *state) from(k foldKey, source string) time.Time {
	pruned, ok := s.pruned[source]
	if !ok {
		return s.base
	}
	// Prune lets go of what is older than two windows and the quiet gap.
	from := pruned.Add(-2*k.rule.Pattern.Within - k.rule.Pattern.Quiet)
	if from.Before(s.base) {
		return s.base
	}
	return from
}

// resumeBefore ends the warm-up of the partitions that are decided up to just
// before seq.
func (s *state) resumeBefore(ctx context.Context, seq uint64) error {
	if s.warming == 0 {
		return nil
	}
	for _, p := range s.parts {
		if p == nil || p.resumed || p.resume >= seq {
			continue
		}
		if err := s.resume(ctx, p); err != nil {
			return fmt.Errorf("resume partition %d: %w", p.n, err)
		}
	}
	return nil
}

func (s *state) resume(ctx context.Context, p *partition) error {
	for _, k := range p.dirty {
		s.warm(p.keys[k])
	}
	p.unqueue()
	for k, ks := range p.keys {
		if ks.lost {
			continue // rebuilt and resumed when it is touched
		}
		if err := s.resumeFold(ctx, p, k, ks.fold); err != nil {
			return err
		}
		if p.compare && ks.touched > p.compareFrom {
			p.queue(k, ks)
		}
	}
	p.resumed = true
	s.warming--
	return nil
}

// resumeFold tells a fold what has been published for its key, so that it
// knows how an episode began that reaches further back than its hits.
func (s *state) resumeFold(ctx context.Context, p *partition, k foldKey, f *pattern.Fold) error {
	settled := f.Settled()
	if settled.IsZero() {
		return nil
	}
	var eps []pattern.Episode
	for _, pub := range p.published[k] {
		if !pub.status.Live() || !pub.truncated && !pub.first.Before(settled) {
			continue
		}
		e := pattern.Episode{
			First: pub.first, Last: pub.last, Count: pub.count, Steps: append([]int(nil), pub.steps...),
			Historical: pub.historical, Truncated: pub.truncated,
		}
		if !pub.last.Add(k.rule.Pattern.Reach()).Before(settled) { // it may go on: its evidence is wanted too
			full, err := s.fetchAlert(ctx, pub.seq)
			if err != nil {
				return err
			}
			e = episodeOf(&k.rule.Pattern, full)
			pub.people, pub.places = full.People, full.Places
		}
		eps = append(eps, e)
	}
	f.Resume(eps)
	return nil
}

// warm gives a fold its pending hits before it is resumed.
func (s *state) warm(ks *keyState) {
	if ks.lost {
		ks.pending = ks.pending[:0] // they are in EVENTS, from which it will be rebuilt
		return
	}
	s.apply(ks)
}

// apply gives a fold its pending hits without deciding anything.
func (s *state) apply(ks *keyState) ([]pattern.Episode, []pattern.Hit) {
	changed, late := ks.fold.Apply(ks.pending)
	ks.pending = ks.pending[:0]
	s.recount(ks)
	return changed, late
}

func (s *state) recount(ks *keyState) {
	n := ks.fold.Len()
	s.hits += n - ks.held
	ks.held = n
	// A fold made anew cuts again what was cut and counted before.
	trimmed := ks.fold.Trimmed()
	s.trimmed += uint64(max(0, trimmed-ks.trimmed))
	ks.trimmed = trimmed
}
