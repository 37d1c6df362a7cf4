package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
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
	on, cancel := c.bus.onLink(ctx)
	defer cancel()
	answer, err := nc.RequestMsgWithContext(on, c.message(last, batch))
	if err != nil {
		sent := !errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, nats.ErrReconnectBufExceeded) && !errors.Is(err, nats.ErrConnectionClosed)
		c.doubt = c.doubt || sent
		return 0, unanswered(ctx, err)
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
