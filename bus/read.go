package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ReadOptions say what to read and from where.
type ReadOptions struct {
	Filters   []string  // subjects to read, which do not overlap, with wildcards; none: all
	StartSeq  uint64    // from this sequence on; 0: from StartTime
	StartTime time.Time // from what was stored at this time or later; zero: from the first
	Until     uint64    // end after this sequence; 0: follow
}

// How a Reader notices that nothing comes any more.
const (
	pullExpiry = 5 * time.Second // after which the server ends a request that got nothing
	heartbeat  = time.Second     // the server says it is alive when it has nothing to send
	silence    = 3 * heartbeat   // without one the consumer is taken for dead
	patience   = 5 * time.Second
	glance     = 250 * time.Millisecond
	idleLimit  = 5 * time.Minute // after which the server forgets a reader that does not ask
)

// A Reader hands out the messages of a stream in the stream's order, each once.
//
// It stands on one consumer of the server that keeps nothing: its position is
// the last sequence handed out. Whenever something is not right (a number
// skipped, heartbeats missing, a reconnect, a consumer that has fallen silent
// while the stream has more) it is thrown away and another is made from that
// position. A Reader runs no goroutine; all happens within Next, which is for
// one caller at a time.
type Reader struct {
	bus      *Bus
	stream   string
	opts     ReadOptions
	deliver  jetstream.DeliverPolicy // of the first consumer
	snapshot bool                    // ends when there is nothing more
	patience time.Duration           // of nothing new, before the stream itself is asked whether it has more
	created  time.Time               // of the stream: another one of this name is not read on
	last     uint64                  // of the stream, as far as known
	pending  atomic.Uint64
	done     chan struct{} // closed by Close
	closing  sync.Once

	mu      sync.Mutex // held by Next
	flow    *flow      // nil: to be made
	next    uint64     // everything before is handed out, or was never to be
	left    time.Time  // when Next was last left
	newest  time.Time  // when a message last came, or the stream was last asked
	suspect uint64     // a message that was there when the stream was last asked
	ended   bool
}

// Read makes a Reader. A sequence to start from that lies beyond the stream's
// end is an error: the log is not the one the caller knows.
func (b *Bus) Read(ctx context.Context, stream string, o ReadOptions) (*Reader, error) {
	deliver := jetstream.DeliverAllPolicy
	switch {
	case o.StartSeq > 0:
		deliver = jetstream.DeliverByStartSequencePolicy
	case !o.StartTime.IsZero():
		deliver = jetstream.DeliverByStartTimePolicy
	}
	r, err := b.read(ctx, stream, o, deliver)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	return r, nil
}

func (b *Bus) read(ctx context.Context, stream string, o ReadOptions, deliver jetstream.DeliverPolicy) (*Reader, error) {
	info, err := b.Info(ctx, stream)
	if err != nil {
		return nil, err
	}
	if o.StartSeq > info.LastSeq+1 {
		return nil, fmt.Errorf("start at sequence %d: the stream ends at %d", o.StartSeq, info.LastSeq)
	}
	if len(o.Filters) == 0 {
		o.Filters = []string{everything}
	}
	r := &Reader{bus: b, stream: stream, opts: o, deliver: deliver, created: info.Created, last: info.LastSeq, patience: patience, done: make(chan struct{})}
	if err := r.open(ctx, info); err != nil {
		return nil, err
	}
	r.left = time.Now()
	r.newest = r.left
	r.next = max(1, o.StartSeq)
	if deliver == jetstream.DeliverByStartTimePolicy {
		r.next = max(1, r.flow.start)
	}
	return r, nil
}

// Pending is how many more messages are in the stream, as the server counted
// when it sent the one handed out last; where the filters let most of the stream
// through, those that do not match are counted too.
func (r *Reader) Pending() uint64 { return r.pending.Load() }

// Close ends the reader; a Next under way returns ErrClosed.
func (r *Reader) Close() {
	r.closing.Do(func() {
		close(r.done)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.drop()
	})
}

// Next waits for at least one message and returns what is there, at most max.
// It returns io.EOF when Until is reached, or no message up to it is left that
// matches. While the server is away it waits. Errors other than those of ctx,
// io.EOF and ErrClosed mean that the stream cannot be read on: it was deleted,
// replaced or cut short.
func (r *Reader) Next(ctx context.Context, max int) ([]Stored, error) {
	if max < 1 {
		return nil, fmt.Errorf("read %s: at most %d messages asked for, should be 1 or more", r.stream, max)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resume(time.Now())
	defer func() { r.left = time.Now() }()
	for {
		out, err := r.step(ctx, max)
		switch {
		case errors.Is(err, io.EOF):
			r.ended = true
			r.drop()
			return out, io.EOF
		case errors.Is(err, errBroken):
			r.bus.log.Debug("reader starts again", "stream", r.stream, "from", r.next, "why", err)
			r.drop()
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", r.stream, err)
		}
		if len(out) > 0 {
			return out, nil
		}
	}
}

// resume takes the time in which nobody asked out of the reckoning: what did not
// come then says nothing.
func (r *Reader) resume(now time.Time) {
	away := now.Sub(r.left)
	r.newest = r.newest.Add(away)
	if r.flow != nil {
		r.flow.heard = r.flow.heard.Add(away)
	}
}

// heard notes that something came.
func (r *Reader) heard() {
	now := time.Now()
	r.newest, r.suspect = now, 0
	r.flow.heard = now
}

// step hands out what is there, or waits until something may be.
func (r *Reader) step(ctx context.Context, max int) ([]Stored, error) {
	if r.ended {
		return nil, io.EOF
	}
	if err := r.stopped(ctx); err != nil {
		return nil, err
	}
	if r.flow == nil {
		return nil, r.reopen(ctx)
	}
	before := r.next
	out, err := r.take(max)
	if r.next != before {
		r.heard()
	}
	if len(out) > 0 {
		if errors.Is(err, io.EOF) {
			r.ended = true // told by the next call
			err = nil
		}
		return out, err
	}
	if err == nil && r.flow.drained() {
		err = r.atEnd(ctx)
	}
	if err == nil && r.flow.idle() {
		err = r.wait(ctx)
	}
	return nil, err
}

// take hands out what has arrived, without waiting; with io.EOF when that
// was all.
func (r *Reader) take(max int) ([]Stored, error) {
	var out []Stored
	for range max {
		m, ok, err := r.flow.poll()
		if err != nil || !ok {
			return out, err
		}
		if r.opts.Until > 0 && m.Seq > r.opts.Until {
			return out, io.EOF
		}
		r.next = m.Seq + 1
		r.pending.Store(r.flow.pending)
		if !r.flow.lets(m.Subject) {
			continue
		}
		if out == nil {
			out = make([]Stored, 0, min(max, len(r.flow.msgs)+1))
		}
		out = append(out, m)
		if m.Seq == r.opts.Until {
			return out, io.EOF
		}
	}
	return out, nil
}

// wait returns when something came or a glance later, or errBroken when
// something should have come.
func (r *Reader) wait(ctx context.Context) error {
	if err := r.watch(ctx, time.Now()); err != nil {
		return err
	}
	t := time.NewTimer(glance)
	defer t.Stop()
	select {
	case r.flow.held = <-r.flow.msgs:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-r.done:
		return ErrClosed
	case <-t.C:
		return nil
	}
}

// watch returns errBroken when the consumer is not to be relied on.
func (r *Reader) watch(ctx context.Context, now time.Time) error {
	if err := r.flow.alive(now); err != nil {
		return err
	}
	if now.Sub(r.newest) < r.patience {
		return nil
	}
	r.newest = now
	ctx, cancel := r.within(ctx)
	defer cancel()
	first, err := r.firstFrom(ctx, r.next)
	if err != nil {
		return nil // heartbeats and the next look tell more
	}
	if first > 0 && first == r.suspect {
		return fmt.Errorf("%w: message %d is there and does not come", errBroken, first)
	}
	r.suspect = first
	return nil
}

// atEnd returns io.EOF when nothing is left to hand out.
func (r *Reader) atEnd(ctx context.Context) error {
	until := r.opts.Until
	if until == 0 && !r.snapshot {
		return nil
	}
	if until > 0 && r.next > until {
		return io.EOF
	}
	ctx, cancel := r.within(ctx)
	defer cancel()
	if until > r.last {
		info, err := r.bus.Info(ctx, r.stream)
		if err != nil {
			return nil // the next glance asks again
		}
		if r.last = info.LastSeq; until > r.last {
			return nil
		}
	}
	first, err := r.firstFrom(ctx, r.next)
	switch {
	case err != nil:
		return nil
	case first == 0 || (until > 0 && first > until):
		return io.EOF
	}
	return nil
}

// firstFrom asks the stream itself for the first message from a sequence on
// that matches; 0: none.
func (r *Reader) firstFrom(ctx context.Context, seq uint64) (uint64, error) {
	var first uint64
	for _, f := range r.opts.Filters {
		m, err := r.bus.getMessage(ctx, r.stream, getRequest{Seq: seq, NextFor: f})
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if first == 0 || m.Seq < first {
			first = m.Seq
		}
	}
	return first, nil
}

// stopped is the error of a reader that is closed, or whose bus or ctx is.
func (r *Reader) stopped(ctx context.Context) error {
	select {
	case <-r.done:
		return ErrClosed
	default:
	}
	if r.bus.nc.IsClosed() {
		return ErrClosed
	}
	return ctx.Err()
}

// within is ctx, ended by Close too.
func (r *Reader) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-r.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
