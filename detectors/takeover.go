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
	info, err := w.c.Bus.Info(ctx, bus.Events)
	if err != nil {
		return nil, err
	}
	s := newState(w, info)
	if err := s.readLedgers(ctx); err != nil {
		return nil, err
	}
	if err := s.readAlerts(ctx); err != nil {
		return nil, err
	}
	if err := s.checkLog(ctx); err != nil {
		return nil, err
	}
	o := bus.ReadOptions{Filters: []string{bus.AllEvents, bus.AllProgress}}
	s.base = s.logStart
	if from := s.startTime(); !from.IsZero() && from.After(s.logStart) && from.After(info.FirstTime) {
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
			p.ledger, p.fence, p.resume = l, m.Seq, l.Seq
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
	if a.Position > p.resume {
		// A commit was cut in two and its second piece is missing: some keys
		// are decided up to here, the others are to be compared.
		p.resume, p.compareAll = a.Position, true
	}
}

// checkLog compares the log with what the ledgers say of it. A log that was
// cut short, restored or made anew is told and read again whole: nothing in it
// is skipped for having a sequence that was decided once.
func (s *state) checkLog(ctx context.Context) error {
	checked := map[Position]error{}
	for _, p := range s.parts {
		if p == nil || p.fence == 0 {
			continue
		}
		why, done := checked[p.ledger.Event]
		if !done {
			var err error
			if why, err = s.sameLog(ctx, &p.ledger); err != nil {
				return err
			}
			checked[p.ledger.Event] = why
			if why != nil {
				s.w.log.Error("EVENTS is not the log that was decided; reading all of it again", "reason", why)
			}
		}
		if why != nil {
			p.resume, p.adrift, p.compareAll = s.lastSeq, true, true
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
	if l.Seq > s.lastSeq {
		return fmt.Errorf("it ends at sequence %d, the ledger stands at %d", s.lastSeq, l.Seq), nil
	}
	if l.Event.Seq == 0 {
		return nil, nil
	}
	m, err := s.w.c.Bus.Get(ctx, bus.Events, l.Event.Seq)
	if errors.Is(err, bus.ErrNotFound) {
		return nil, nil // aged out
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
	return least.Add(-s.w.c.Rules.Reach() - slack)
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
