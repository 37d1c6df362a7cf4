package detectors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/rules"
)

// slack is how much longer than a rule's reach hits are kept, so that what
// comes late by less than this (most item usages) needs no rebuilding.
const slack = 24 * time.Hour

// skew is how far a sender's clock may run ahead of ours before its events
// are marked suspect (package pollers).
const skew = 10 * time.Minute

// takeOver reads what is decided already and starts the reader far enough back
// that every fold comes out as it was.
func (w *Worker) takeOver(ctx context.Context) (*state, error) {
	s := newState(w)
	if err := s.readLedgers(ctx); err != nil {
		return nil, err
	}
	if err := s.readAlerts(ctx); err != nil {
		return nil, err
	}
	// The log is looked at last, so that it is at least as long as another
	// worker's ledger says.
	info, err := w.c.Bus.Info(ctx, bus.Events)
	if err != nil {
		return nil, err
	}
	s.created, s.lastSeq, s.maxAge = info.Created, info.LastSeq, info.MaxAge
	if err := s.checkLog(ctx); err != nil {
		return nil, err
	}
	o := bus.ReadOptions{Filters: []string{bus.AllEvents, bus.AllProgress}}
	s.base = w.storedFrom(info)
	if from := s.startTime(); !from.IsZero() && from.After(s.base) && from.After(info.FirstTime) {
		s.base = from
		o.StartTime = from.Add(-skew)
	}
	if s.reader, err = w.c.Bus.Read(ctx, bus.Events, o); err != nil {
		return nil, err
	}
	w.log.Info("detector takes over", "position", s.leastResume(), "last", info.LastSeq, "reads_from", orBeginning(s.base))
	for _, p := range s.parts {
		if p == nil {
			continue
		}
		if p.resumed = p.resume == 0; !p.resumed {
			s.warming++
		}
	}
	s.ledgersMoved = w.c.Now()
	return s, nil
}

// storedFrom is the time from which on EVENTS holds all that happened; zero: from
// the beginning. The oldest message stored can be a marker, which never ages.
func (w *Worker) storedFrom(info bus.StreamInfo) time.Time {
	now := w.c.Now()
	if info.MaxAge <= 0 || now.Sub(info.Created) < info.MaxAge {
		return time.Time{}
	}
	kept := now.Add(time.Hour - info.MaxAge)
	if info.FirstTime.After(kept) {
		return info.FirstTime
	}
	return kept
}

func orBeginning(t time.Time) string {
	if t.IsZero() {
		return "the beginning"
	}
	return t.UTC().Format(time.RFC3339)
}

// readLedgers learns how far each owned partition is decided.
func (s *state) readLedgers(ctx context.Context) error {
	stored, err := s.w.c.Bus.LastPerSubject(ctx, bus.Alerts, bus.AllLedgers)
	if err != nil {
		return fmt.Errorf("read ledgers: %w", err)
	}
	for _, m := range stored {
		l, err := decodeLedger(m.Data)
		if err != nil {
			return fmt.Errorf("%s at sequence %d of %s: %w", m.Subject, m.Seq, bus.Alerts, err)
		}
		if p := s.parts[l.Partition]; p != nil {
			// Between the newest event and Seq there were only markers: the event
			// is what is decided, and what a log that was cut is known by.
			p.ledger, p.fence, p.resume = l, m.Seq, l.Event.Seq
			if l.Ahead.Seq > 0 {
				p.resume, p.compare, p.compareFrom = l.Ahead.Seq, true, l.Event.Seq
			}
		}
	}
	return nil
}

// readAlerts learns what has been published for the rules as they are now.
// Alerts of other versions of a rule belong to those versions and stay as they are.
func (s *state) readAlerts(ctx context.Context) error {
	info, err := s.w.c.Bus.Info(ctx, bus.Alerts)
	if err != nil {
		return err
	}
	if info.LastSeq == 0 {
		return nil
	}
	r, err := s.w.c.Bus.Read(ctx, bus.Alerts, bus.ReadOptions{Filters: []string{bus.AllAlerts}, Until: info.LastSeq})
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		msgs, err := r.Next(ctx, batchSize)
		for i := range msgs {
			a, err := alert.Decode(msgs[i].Data)
			if err != nil {
				s.w.log.Error("stored alert cannot be read and is left alone", "seq", msgs[i].Seq, "err", err)
				continue
			}
			s.noteAlert(&a, msgs[i].Seq)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", bus.Alerts, err)
		}
	}
}

func (s *state) noteAlert(a *alert.Alert, seq uint64) {
	rule := s.w.c.Rules.Rule(a.Rule)
	if rule == nil || rule.Version != a.Version {
		return
	}
	k := foldKey{rule, rules.NewKey(a.Source, a.Key...)}
	p := s.parts[PartitionOf(rule.ID, k.key)]
	if p == nil {
		return
	}
	p.remember(k, a, seq)
}

// checkLog compares the log with what the ledgers say of it. A log that was
// cut short, restored or made anew is told and read again whole: nothing in it
// is skipped for having a sequence that was decided once.
func (s *state) checkLog(ctx context.Context) error {
	checked := map[Ledger]error{}
	for _, p := range s.parts {
		if p == nil || p.fence == 0 {
			continue
		}
		same := Ledger{Stream: p.ledger.Stream, Seq: p.ledger.Seq, Event: p.ledger.Event, Ahead: p.ledger.Ahead}
		why, done := checked[same]
		if !done {
			var err error
			if why, err = s.sameLog(ctx, &p.ledger); err != nil {
				return err
			}
			checked[same] = why
			if why != nil {
				s.w.log.Error("EVENTS is not the log that was decided; reading all of it again", "reason", why)
			}
		}
		if why != nil {
			p.ledger, p.resume, p.adrift = Ledger{}, s.lastSeq, true
			p.compare, p.compareFrom = true, 0
			s.setTrouble("EVENTS was cut short or restored: " + why.Error() + "; all of it is read again")
		}
	}
	return nil
}

// sameLog says what differs, or nil.
func (s *state) sameLog(ctx context.Context, l *Ledger) (why, err error) {
	if !l.Stream.Equal(s.created) {
		return fmt.Errorf("it was created %s, the ledger speaks of one created %s",
			s.created.UTC().Format(time.RFC3339), l.Stream.UTC().Format(time.RFC3339)), nil
	}
	if last := max(l.Seq, l.Ahead.Seq); last > s.lastSeq {
		return fmt.Errorf("it ends at sequence %d, the ledger stands at %d", s.lastSeq, last), nil
	}
	if l.Event.Seq == 0 {
		return nil, nil
	}
	m, err := s.w.c.Bus.Get(ctx, bus.Events, l.Event.Seq)
	if errors.Is(err, bus.ErrNotFound) {
		if s.maxAge > 0 && s.w.c.Now().Sub(l.Event.Time) > s.maxAge-time.Hour {
			return nil, nil // aged out
		}
		return fmt.Errorf("sequence %d, stored %s, is gone", l.Event.Seq, l.Event.Time.UTC().Format(time.RFC3339)), nil
	}
	if err != nil {
		return nil, fmt.Errorf("compare the log with its ledger: %w", err)
	}
	if !m.Time.Equal(l.Event.Time) {
		return fmt.Errorf("sequence %d was stored %s, the ledger knows it as stored %s", l.Event.Seq,
			m.Time.UTC().Format(time.RFC3339Nano), l.Event.Time.UTC().Format(time.RFC3339Nano)), nil
	}
	return nil, nil
}

// startTime is from when hits are needed; zero means all there are.
//
// An event that happened at t is stored at t or later, so all that happened
// from t on stands behind the first message stored at t.
func (s *state) startTime() time.Time {
	var least time.Time
	for _, p := range s.parts {
		if p == nil {
			continue
		}
		if p.resume == 0 || p.adrift || p.ledger.Event.Time.IsZero() {
			return time.Time{}
		}
		if least.IsZero() || p.ledger.Event.Time.Before(least) {
			least = p.ledger.Event.Time
		}
	}
	if least.IsZero() {
		return time.Time{}
	}
	// Twice the reach, so that after a restart as before it only what is later
	// than slack needs rebuilding.
	return least.Add(-2*s.w.c.Rules.Reach() - slack)
}

func (s *state) leastResume() uint64 {
	least := s.lastSeq
	for _, p := range s.parts {
		if p != nil {
			least = min(least, p.resume)
		}
	}
	return least
}
