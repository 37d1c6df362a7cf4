package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// A getRequest is a request of one message from the leader: by sequence, the
// newest of a subject, or the first from a sequence on that matches a filter.
type getRequest struct {
	Seq     uint64 `json:"seq,omitempty"`
	LastFor string `json:"last_by_subj,omitempty"`
	NextFor string `json:"next_by_subj,omitempty"`
}

type gotMessage struct {
	Stored
	commit string // of the commit it was the last message of
}

func (b *Bus) getMessage(ctx context.Context, stream string, q getRequest) (gotMessage, error) {
	var r struct {
		Error   *apiError `json:"error"`
		Message struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Header  []byte    `json:"hdrs"`
			Data    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
	}
	if err := b.ask(ctx, "STREAM.MSG.GET."+stream, q, &r); err != nil {
		return gotMessage{}, err
	}
	if r.Error != nil && r.Error.ErrCode == codeNoMessage {
		return gotMessage{}, ErrNotFound
	}
	if r.Error != nil {
		return gotMessage{}, r.Error
	}
	m := r.Message
	got := gotMessage{Stored: Stored{Subject: m.Subject, Data: m.Data, Seq: m.Seq, Time: m.Time.UTC()}}
	if len(m.Header) > 0 {
		h, err := nats.DecodeHeadersMsg(m.Header)
		if err != nil {
			return gotMessage{}, fmt.Errorf("headers of message %d: %w", m.Seq, err)
		}
		got.commit = h.Get(hdrCommit)
	}
	return got, nil
}

// ask sends one request to JetStream and decodes its answer.
func (b *Bus) ask(ctx context.Context, what string, q, answer any) error {
	body := []byte{}
	if q != nil {
		var err error
		if body, err = json.Marshal(q); err != nil {
			return err
		}
	}
	on, cancel := b.onLink(ctx)
	defer cancel()
	m, err := b.nc.RequestWithContext(on, "$JS.API."+what, body)
	if err != nil {
		return unanswered(ctx, err)
	}
	return json.Unmarshal(m.Data, answer)
}
