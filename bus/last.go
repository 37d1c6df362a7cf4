package bus

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A Stored message is one as it stands in a stream. Data is the receiver's own.
type Stored struct {
	Subject string
	Data    []byte
	Seq     uint64
	Time    time.Time // when it was stored, by the server's clock, UTC
}

// Last reads the newest message of a subject from the stream's leader: what
// Commit stored before is seen. ErrNotFound when there is none.
func (b *Bus) Last(ctx context.Context, stream, subject string) (Stored, error) {
	m, err := b.getMessage(ctx, stream, getRequest{LastFor: subject})
	if err != nil {
		return Stored{}, fmt.Errorf("last message of %s: %w", subject, err)
	}
	return m.Stored, nil
}

// Get reads one message by its sequence from the stream's leader. ErrNotFound
// when it is not there, or no longer.
func (b *Bus) Get(ctx context.Context, stream string, seq uint64) (Stored, error) {
	if seq == 0 {
		return Stored{}, fmt.Errorf("message 0 of %s: %w", stream, ErrNotFound)
	}
	m, err := b.getMessage(ctx, stream, getRequest{Seq: seq})
	if err != nil {
		return Stored{}, fmt.Errorf("message %d of %s: %w", seq, stream, err)
	}
	return m.Stored, nil
}

// LastPerSubject reads the newest message of each subject that matches the
// filter, in stream order; none is no error. What was stored before the call is seen.
func (b *Bus) LastPerSubject(ctx context.Context, stream, filter string) ([]Stored, error) {
	out, err := b.lastPerSubject(ctx, stream, filter)
	if err != nil {
		return nil, fmt.Errorf("newest messages of %s: %w", filter, err)
	}
	return out, nil
}

func (b *Bus) lastPerSubject(ctx context.Context, stream, filter string) ([]Stored, error) {
	r, err := b.read(ctx, stream, ReadOptions{Filters: []string{filter}}, jetstream.DeliverLastPerSubjectPolicy)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	r.snapshot = true
	// A subject written while this reads may come twice, and one whose message was
	// replaced meanwhile comes later: the newest stands.
	newest := map[string]Stored{}
	for {
		got, err := r.Next(ctx, window)
		for _, m := range got {
			newest[m.Subject] = m
		}
		if errors.Is(err, io.EOF) {
			return slices.SortedFunc(maps.Values(newest), func(a, b Stored) int { return cmp.Compare(a.Seq, b.Seq) }), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// StreamInfo is the state of a stream.
type StreamInfo struct {
	Name                string
	Created             time.Time     // identifies it: another stream of this name was created at another time
	MaxAge              time.Duration // what is stored longer than this ages out; zero: nothing does
	FirstSeq, LastSeq   uint64        // LastSeq stays when all messages are gone
	FirstTime, LastTime time.Time
	Messages            uint64
	Bytes, MaxBytes     uint64 // before compression
	Deleted             int    // sequences between first and last that are not there
	Lost                uint64 // messages the server says it lost to damage
}

// Info reads the state of a stream.
func (b *Bus) Info(ctx context.Context, stream string) (StreamInfo, error) {
	var r struct {
		Error   *apiError `json:"error"`
		Created time.Time `json:"created"`
		Config  struct {
			MaxAge   time.Duration `json:"max_age"`
			MaxBytes int64         `json:"max_bytes"`
		} `json:"config"`
		State struct {
			Messages  uint64    `json:"messages"`
			Bytes     uint64    `json:"bytes"`
			FirstSeq  uint64    `json:"first_seq"`
			LastSeq   uint64    `json:"last_seq"`
			FirstTime time.Time `json:"first_ts"`
			LastTime  time.Time `json:"last_ts"`
			Deleted   int       `json:"num_deleted"`
			Lost      *struct {
				Msgs []uint64 `json:"msgs"`
			} `json:"lost"`
		} `json:"state"`
	}
	if err := b.ask(ctx, "STREAM.INFO."+stream, nil, &r); err != nil {
		return StreamInfo{}, fmt.Errorf("state of stream %s: %w", stream, err)
	}
	if r.Error != nil {
		return StreamInfo{}, fmt.Errorf("state of stream %s: %w", stream, r.Error)
	}
	s := r.State
	info := StreamInfo{Name: stream, Created: r.Created, MaxAge: r.Config.MaxAge, FirstSeq: s.FirstSeq, LastSeq: s.LastSeq, FirstTime: s.FirstTime, LastTime: s.LastTime,
		Messages: s.Messages, Bytes: s.Bytes, MaxBytes: uint64(max(0, r.Config.MaxBytes)), Deleted: s.Deleted}
	if s.Lost != nil {
		info.Lost = uint64(len(s.Lost.Msgs))
	}
	return info, nil
}

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
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	m, err := b.nc.RequestWithContext(ctx, "$JS.API."+what, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(m.Data, answer)
}
