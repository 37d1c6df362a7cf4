package detectors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/detectors/pattern"
)

// commitsAtOnce is how many partitions commit at the same time. Each has one
// batch in flight: the fence of the next is the sequence of the last.
const commitsAtOnce = 4

// maxPiece bounds the bytes of alerts in one batch.
const maxPiece = 16 << 20

// retryFull is how long to wait before trying a full stream again.
const retryFull = 5 * time.Second

// revision is an alert to be published, and for which fold.
type revision struct {
	key   foldKey
	alert alert.Alert
}

// decide gives the folds what has been read since the last decision, and
// commits what follows from it.
func (s *state) decide(ctx context.Context) error {
	revisions := map[*partition][]revision{}
	late := map[foldKey]*partition{}
	for _, p := range s.parts {
		if p == nil {
			continue
		}
		for _, k := range p.dirty {
			ks := p.keys[k]
			if !p.resumed {
				s.warm(ks)
				continue
			}
			changed, behind, err := s.advance(ctx, p, k, ks)
			if err != nil {
				return err
			}
			if behind {
				late[k] = p
				continue
			}
			for _, a := range reconcile(k, p.published[k], changed) {
				a.Late = ks.late
				revisions[p] = append(revisions[p], revision{k, a})
			}
		}
	}
	rebuilt, err := s.rebuild(ctx, late)
	if err != nil {
		return fmt.Errorf("rebuild from history: %w", err)
	}
	for k, episodes := range rebuilt {
		p := late[k]
		for _, a := range reconcile(k, p.published[k], episodes) {
			a.Late = p.keys[k].late
			revisions[p] = append(revisions[p], revision{k, a})
		}
	}
	if err := s.commitAll(ctx, revisions); err != nil {
		return err
	}
	for _, p := range s.parts {
		if p == nil {
			continue
		}
		p.unqueue()
		if p.resumed && p.compare {
			p.compare = false
			if p.adrift {
				p.adrift = false
				s.setTrouble("")
			}
		}
	}
	s.decided = s.position
	s.boundHits()
	return nil
}

// advance applies a key's pending hits. behind says that some of them are
// older than what the fold decides: the key has to be rebuilt.
func (s *state) advance(ctx context.Context, p *partition, k foldKey, ks *keyState) (changed []pattern.Episode, behind bool, err error) {
	if ks.lost {
		ks.behind = earliest(ks.pending)
		return nil, true, nil
	}
	if ks.fresh {
		ks.fresh = false
		if err := s.resumeFold(ctx, p, k, ks.fold); err != nil {
			return nil, false, err
		}
	}
	changed, late := s.apply(ks)
	switch {
	case len(late) == 0:
	case !ks.fold.Full():
		ks.behind = earliest(late)
		return nil, true, nil
	default: // older than the newest hits that the bounds keep: history would be cut again
		s.tooLate += uint64(len(late))
	}
	if p.compare && ks.touched > p.compareFrom {
		changed = ks.fold.Episodes()
	}
	return changed, false, nil
}

func (s *state) commitAll(ctx context.Context, revisions map[*partition][]revision) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(commitsAtOnce)
	for p, revs := range revisions {
		g.Go(func() error { return s.commit(ctx, p, revs) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, revs := range revisions {
		s.alerts += uint64(len(revs))
	}
	return nil
}

// commit publishes a partition's revisions with its ledger last. More than one
// batch holds are split; the ledger moves with the last piece, and before that
// says how far ahead of it the alerts are.
func (s *state) commit(ctx context.Context, p *partition, revs []revision) error {
	var msgs []bus.Message
	size, from := 0, 0
	for i := range revs {
		a := &revs[i].alert
		a.Generation, a.Position, a.Decided = s.w.c.Generation, s.event.Seq, s.w.c.Now().UTC()
		data, err := a.Encode()
		if err != nil {
			return err
		}
		if len(msgs) == bus.MaxBatch-1 || size+len(data) > maxPiece {
			ledger := s.ledger(p)
			ledger.Seq, ledger.Event, ledger.Ahead = p.ledger.Seq, p.ledger.Event, s.event
			if err := s.commitPiece(ctx, p, ledger, msgs, revs[from:i]); err != nil {
				return err
			}
			msgs, size, from = nil, 0, i
		}
		// Of the updates of an alert only the newest is kept: an alert that grows
		// for months must not fill the stream.
		msgs = append(msgs, bus.Message{Subject: bus.AlertSubject(a), Data: data, Rollup: a.Status == alert.Updated})
		size += len(data)
	}
	return s.commitPiece(ctx, p, s.ledger(p), msgs, revs[from:])
}

func (s *state) commitPiece(ctx context.Context, p *partition, l Ledger, msgs []bus.Message, revs []revision) error {
	last, err := s.commitLedger(ctx, p, l, msgs)
	if err != nil {
		return err
	}
	for i := range revs {
		// The messages of a batch stand in the stream one after the other.
		p.remember(revs[i].key, &revs[i].alert, last-uint64(len(revs)-i))
	}
	return nil
}

// commitLedger commits msgs with the ledger last. While ALERTS is full it
// tries again, loudly: nothing is decided beyond what can be published.
func (s *state) commitLedger(ctx context.Context, p *partition, l Ledger, msgs []bus.Message) (uint64, error) {
	data, err := l.encode()
	if err != nil {
		return 0, err
	}
	msgs = append(msgs, bus.Message{Subject: bus.LedgerSubject(p.n), Data: data, Rollup: true, Keep: true})
	for {
		last, err := s.w.c.Bus.Commit(ctx, bus.Alerts, bus.Fence{Subject: bus.LedgerSubject(p.n), Last: p.fence}, msgs)
		if err == nil {
			p.fence, p.ledger = last, l
			return last, nil
		}
		if !errors.Is(err, bus.ErrFull) {
			return 0, fmt.Errorf("commit partition %d: %w", p.n, err)
		}
		err = fmt.Errorf("alerts cannot be stored and detection waits: %w", err)
		s.w.log.Error("alerts cannot be stored and detection waits", "partition", p.n, "err", err)
		s.w.trouble(err)
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(retryFull):
		}
	}
}

func (s *state) ledger(p *partition) Ledger {
	return Ledger{
		Partition: p.n, Stream: s.created, Seq: s.position, Event: s.event,
		Generation: s.w.c.Generation, Worker: s.w.c.Name, Decided: s.w.c.Now().UTC(),
	}
}

// moveLedgers moves every ledger that stands behind, so that a restart has
// little to read.
func (s *state) moveLedgers(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(commitsAtOnce)
	for _, p := range s.parts {
		if p == nil || !p.resumed || p.ledger.Seq >= s.decided || s.decided != s.position {
			continue
		}
		g.Go(func() error {
			_, err := s.commitLedger(ctx, p, s.ledger(p), nil)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.ledgersMoved = s.w.c.Now()
	return nil
}

// fetchAlert reads a stored revision back.
func (s *state) fetchAlert(ctx context.Context, seq uint64) (*alert.Alert, error) {
	m, err := s.w.c.Bus.Get(ctx, bus.Alerts, seq)
	if err != nil {
		return nil, fmt.Errorf("read alert at sequence %d: %w", seq, err)
	}
	a, err := alert.Decode(m.Data)
	if err != nil {
		return nil, fmt.Errorf("sequence %d of %s: %w", seq, bus.Alerts, err)
	}
	return &a, nil
}
