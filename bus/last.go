package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

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
