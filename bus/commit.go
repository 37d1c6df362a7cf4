package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nuid"
)

// MaxBatch is the most messages of one Commit: what a server takes by default.
const MaxBatch = 1000

const (
	maxBatchBytes = 64 * int(mib) // of one Commit; the server holds a batch back until its last message
	maxSubject    = 1024          // bytes; a server closes the connection at a line of 4096
	headerRoom    = 512           // bytes our headers take at most
	commitsAtOnce = 32            // batches under way; a server refuses the 51st of a stream
	answerWait    = 5 * time.Second
	commitWait    = 30 * time.Second // for a Commit whose ctx has no deadline
	retryWait     = 50 * time.Millisecond
)

// A Message is one message to publish.
type Message struct {
	Subject string
	Data    []byte
	Rollup  bool // replaces all earlier messages of the subject
	// Keep: does not age out. One thing still takes it: a server that starts when
	// the message is older than the stream's age removes it with the others
	// (fileStore.expireMsgsOnRecover of nats-server 2.15).
	Keep bool
}

// A Fence is what a writer knows: the sequence of the newest message on
// Subject, 0 for none.
type Fence struct {
	Subject string
	Last    uint64
}

// Commit stores all messages or none, provided that the newest message on
// fence.Subject is still fence.Last, and returns the sequence of the last one.
// The fence's subject is that of the last message and of no other of them.
//
// The error says what happened: ErrFenced: another writer is ahead. ErrFull: no
// room now. ErrUnavailable: the server is away, read before going on. Any other:
// nothing was stored. What a lost answer means is found out inside, by reading
// the fence's subject; where another writer has written over a commit whose
// answer was lost, that is ErrFenced too.
//
// It waits for the server up to the deadline of ctx, or 30 s without one.
func (b *Bus) Commit(ctx context.Context, stream string, fence Fence, msgs []Message) (uint64, error) {
	if err := b.acceptable(stream, fence, msgs); err != nil {
		return 0, fmt.Errorf("commit to %s: %w", stream, err)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, commitWait)
		defer cancel()
	}
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	case <-ctx.Done():
		return 0, fmt.Errorf("commit to %s: %w", stream, ctx.Err())
	}
	c := commit{bus: b, stream: stream, fence: fence, msgs: msgs, id: nuid.Next()}
	seq, err := c.run(ctx)
	b.health.refused(stream, errors.Is(err, ErrFull))
	if err != nil {
		return 0, fmt.Errorf("commit %s to %s: %w", fence.Subject, stream, err)
	}
	return seq, nil
}

// acceptable refuses what no server would take, and what this store cannot
// take now.
func (b *Bus) acceptable(stream string, fence Fence, msgs []Message) error {
	if b.cfg.ReadOnly {
		return ErrReadOnly
	}
	s, ok := specOf(stream)
	if !ok {
		return fmt.Errorf("no such stream")
	}
	if len(msgs) == 0 || len(msgs) > MaxBatch {
		return fmt.Errorf("%d messages, should be 1 to %d", len(msgs), MaxBatch)
	}
	most := int(min(b.nc.MaxPayload(), maxMessage)) - headerRoom
	total := 0
	for i := range msgs {
		m := &msgs[i]
		last := i == len(msgs)-1
		switch {
		case !s.takes(m.Subject) || !publishable(m.Subject):
			return fmt.Errorf("subject %q is not one of this stream's", m.Subject)
		case len(m.Data) > most:
			return fmt.Errorf("message on %s has %d bytes, at most %d fit", m.Subject, len(m.Data), most)
		case (m.Subject == fence.Subject) != last:
			return fmt.Errorf("fence on %s: the last message and no other should be on it, message %d is on %s", fence.Subject, i+1, m.Subject)
		}
		total += len(m.Subject) + len(m.Data) + headerRoom/2
	}
	if total > maxBatchBytes {
		return fmt.Errorf("%s in one commit, at most %s fit", bytesText(int64(total)), bytesText(int64(maxBatchBytes)))
	}
	if b.store == nil {
		return nil
	}
	// A batch is on the disk twice while it is being committed.
	need := 2 * int64(total)
	err := b.store.check(need)
	if !errors.Is(err, ErrFull) {
		need = 0
	}
	b.health.need.Store(need)
	return err
}

// A commit is one call of Commit under way.
type commit struct {
	bus    *Bus
	stream string
	fence  Fence
	msgs   []Message
	id     string
	doubt  bool // something was sent whose answer is not known
}

// run sends until there is an answer. Sending again is safe: the fence lets at
// most one of the copies in.
func (c *commit) run(ctx context.Context) (uint64, error) {
	for try := 0; ; try++ {
		seq, err := c.send(ctx)
		var api *apiError
		switch {
		case err == nil:
			return seq, nil
		case errors.As(err, &api):
			if api.fenced() || c.doubt {
				// Of two copies the second is refused for the first one's sake.
				if seq, known, rerr := c.readBack(ctx); known {
					return seq, rerr
				} else if rerr != nil && c.doubt {
					return 0, fmt.Errorf("%w: %w", ErrUnavailable, rerr)
				}
			}
			switch {
			case api.fenced():
				return 0, fmt.Errorf("%w (it expected sequence %d): %w", ErrFenced, c.fence.Last, api)
			case api.full():
				return 0, fmt.Errorf("%w: %w", ErrFull, api)
			case !api.passing() || try >= 5:
				return 0, c.failed(api)
			}
			err = api
		case c.doubt:
			if seq, known, rerr := c.readBack(ctx); known {
				return seq, rerr
			}
		}
		if perr := pause(ctx, retryWait<<min(try, 5)); perr != nil {
			return 0, c.failed(err)
		}
	}
}

// failed is the error of giving up after err.
func (c *commit) failed(err error) error {
	var api *apiError
	if errors.As(err, &api) && !c.doubt {
		return fmt.Errorf("nothing was stored: %w", err)
	}
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// readBack learns from the newest message of the fence's subject what became of
// what was sent: known with a sequence when it is stored, known with ErrFenced
// when another writer's message is there, not known when nothing is new.
func (c *commit) readBack(ctx context.Context) (seq uint64, known bool, err error) {
	m, err := c.bus.getMessage(ctx, c.stream, getRequest{LastFor: c.fence.Subject})
	switch {
	case errors.Is(err, ErrNotFound) && c.fence.Last == 0:
		return 0, false, nil
	case errors.Is(err, ErrNotFound):
		return 0, true, fmt.Errorf("%w: the message it follows is gone", ErrFenced)
	case err != nil:
		return 0, false, err
	case m.commit == c.id:
		return m.Seq, true, nil
	case m.Seq != c.fence.Last:
		return 0, true, fmt.Errorf("%w (it expected sequence %d, there is %d)", ErrFenced, c.fence.Last, m.Seq)
	}
	return 0, false, nil
}

// publishable tells whether a subject can be published on: tokens with neither
// wildcards nor space.
func publishable(s string) bool {
	if s == "" || len(s) > maxSubject || s[len(s)-1] == '.' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c == 0x7f || c == '*' || c == '>':
			return false
		case c == '.' && (i == 0 || s[i-1] == '.'):
			return false
		}
	}
	return true
}
