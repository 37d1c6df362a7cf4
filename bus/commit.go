package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
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

// The headers of a publish, as nats-server reads them (ADR-4, ADR-22, ADR-43,
// ADR-50), and one of our own.
const (
	hdrBatchID     = "Nats-Batch-Id"
	hdrBatchSeq    = "Nats-Batch-Sequence"
	hdrBatchCommit = "Nats-Batch-Commit"
	hdrStream      = "Nats-Expected-Stream"
	hdrLastSeq     = "Nats-Expected-Last-Subject-Sequence"
	hdrRollup      = "Nats-Rollup"
	hdrTTL         = "Nats-TTL"
	hdrCommit      = "Watchword-Commit" // names the commit on its last message, so that its writer knows it again
)

// Error codes of JetStream (server/errors.json of nats-server).
const (
	codeAccountFull     = 10002 // limits of the account
	codeServerFull      = 10023 // limits of the server
	codeNoMessage       = 10037 // no such message
	codeStorageFull     = 10047 // storage reserved for others
	codeNoStream        = 10059
	codeFenced          = 10071 // wrong last sequence
	codeStoreFailed     = 10077 // the store refused: a limit of the stream, or an error of the disk
	codeFencedInFlight  = 10164 // wrong last sequence, seen against a message not yet applied
	codeBatchIncomplete = 10176 // part of a batch did not arrive, or could not be held
	codeBatchesInFlight = 10210 // too many open batches
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
	return b.store.check(2 * int64(total))
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

// send publishes the messages once and waits for the answer to the last one.
// Any error but an *apiError leaves open what became of it, unless nothing that
// could be stored was sent: then doubt is not set.
func (c *commit) send(ctx context.Context) (uint64, error) {
	nc := c.bus.nc
	last := len(c.msgs) - 1
	batch := ""
	if last > 0 {
		batch = nuid.Next() // a new one each time: the server may still hold part of the one before
	}
	for i := range c.msgs[:last] {
		// Not flushed one by one; without its last message a batch is nothing.
		if err := nc.PublishMsg(c.message(i, batch)); err != nil {
			return 0, err
		}
	}
	m := c.message(last, batch)
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	answer, err := nc.RequestMsgWithContext(ctx, m)
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrConnectionClosed) {
		return 0, err
	}
	if err != nil {
		c.doubt = true
		return 0, err
	}
	var ack struct {
		Error *apiError `json:"error"`
		Seq   uint64    `json:"seq"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		c.doubt = true
		return 0, fmt.Errorf("answer of the server: %w", err)
	}
	if ack.Error != nil {
		return 0, ack.Error
	}
	if ack.Seq == 0 {
		c.doubt = true
		return 0, errors.New("answer of the server names no sequence")
	}
	return ack.Seq, nil
}

// message makes the i-th message ready to send.
func (c *commit) message(i int, batch string) *nats.Msg {
	m := &c.msgs[i]
	h := make(nats.Header, 6)
	if batch != "" {
		h[hdrBatchID] = []string{batch}
		h[hdrBatchSeq] = []string{strconv.Itoa(i + 1)}
	}
	if i == len(c.msgs)-1 {
		h[hdrCommit] = []string{c.id}
		h[hdrStream] = []string{c.stream}
		h[hdrLastSeq] = []string{strconv.FormatUint(c.fence.Last, 10)}
		if batch != "" {
			h[hdrBatchCommit] = []string{"1"}
		}
	}
	if m.Rollup {
		h[hdrRollup] = []string{"sub"}
	}
	if m.Keep {
		h[hdrTTL] = []string{"never"}
	}
	return &nats.Msg{Subject: m.Subject, Data: m.Data, Header: h}
}

// An apiError is what the server says when it refuses.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%s (%d)", e.Description, e.ErrCode) }

func (e *apiError) fenced() bool {
	return e.ErrCode == codeFenced || e.ErrCode == codeFencedInFlight
}

func (e *apiError) full() bool {
	switch e.ErrCode {
	case codeAccountFull, codeServerFull, codeStorageFull:
		return true
	case codeStoreFailed: // carries the store's own words, such as "maximum bytes exceeded"
		return strings.HasPrefix(e.Description, "maximum ")
	}
	return false
}

// passing tells whether the same request may be taken a moment later.
func (e *apiError) passing() bool {
	return e.ErrCode == codeBatchIncomplete || e.ErrCode == codeBatchesInFlight || e.Code == 429 || e.Code == 503
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
