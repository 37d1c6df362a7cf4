package bus

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// mark is what the store remembers of a stream, nil for nothing.
func (b *Bus) mark(stream string) *streamMark {
	if b.store == nil {
		return nil
	}
	return b.store.mark.Streams[stream]
}

// rememberStream writes down that a stream exists, once it does.
func (b *Bus) rememberStream(name string, info *jetstream.StreamInfo, known *streamMark) error {
	if b.cfg.ReadOnly {
		return nil
	}
	m := &streamMark{Created: info.Created.UTC(), Bytes: info.Config.MaxBytes}
	if known != nil {
		if m.LastSeq = known.LastSeq; m.Bytes == known.Bytes {
			return nil
		}
	}
	b.store.mark.Streams[name] = m
	return b.store.save()
}

// rememberEnds writes down where the streams end, at an orderly close.
func (b *Bus) rememberEnds() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	changed := false
	for name, m := range b.store.mark.Streams {
		info, err := b.Info(ctx, name)
		if err != nil {
			return err
		}
		// A stream found short stays told of until it is as long again.
		changed = changed || info.LastSeq > m.LastSeq
		m.LastSeq = max(m.LastSeq, info.LastSeq)
	}
	if !changed || b.store.check(0) != nil {
		return nil
	}
	return b.store.save()
}
