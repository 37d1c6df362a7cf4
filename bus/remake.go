package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// open makes the consumer: the first as the options say, later ones from where
// the reader stands.
func (r *Reader) open(ctx context.Context, info StreamInfo) error {
	cfg := jetstream.ConsumerConfig{DeliverPolicy: r.deliver, FilterSubjects: r.opts.Filters}
	switch {
	case r.next > 0:
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.next
	case r.deliver == jetstream.DeliverByStartSequencePolicy:
		cfg.OptStartSeq = r.opts.StartSeq
	case r.deliver == jetstream.DeliverByStartTimePolicy:
		cfg.OptStartTime = &r.opts.StartTime
	}
	f, err := newFlow(ctx, r.bus, r.stream, cfg)
	if err != nil {
		return err
	}
	if r.dense(f, info) {
		f.stop()
		cfg.FilterSubjects = nil
		if f, err = newFlow(ctx, r.bus, r.stream, cfg); err != nil {
			return err
		}
		f.filters = r.opts.Filters
	}
	if err := f.begin(); err != nil {
		f.stop()
		return err
	}
	r.flow = f
	f.heard = time.Now()
	r.pending.Store(f.pending)
	return nil
}

// dense tells whether so much of the stream matches that it is better read
// whole and filtered here: to find the next match the server walks the subjects
// of a block, for every single message (msgBlock.firstMatching and
// firstMatchingMulti of nats-server 2.15), which with two filters over 200
// subjects costs six times the reading itself.
func (r *Reader) dense(f *flow, info StreamInfo) bool {
	if r.deliver == jetstream.DeliverLastPerSubjectPolicy || slices.Contains(r.opts.Filters, everything) {
		return false
	}
	if s, ok := specOf(r.stream); ok && slices.Contains(r.opts.Filters, s.subjects[0]) {
		return true
	}
	left := min(info.Messages, info.LastSeq+1-min(info.LastSeq+1, f.start))
	return left > window && f.pending > left/8
}

// reopen makes the consumer anew as soon as the server lets it. It fails when
// the stream is not the one that was being read.
func (r *Reader) reopen(ctx context.Context) error {
	ctx, cancel := r.within(ctx)
	defer cancel()
	for try := 0; ; try++ {
		info, err := r.bus.Info(ctx, r.stream)
		switch {
		case err != nil:
			var api *apiError
			if errors.As(err, &api) && api.ErrCode == codeNoStream {
				return err
			}
		case !info.Created.Equal(r.created):
			return fmt.Errorf("the stream was replaced: it was created %s, now %s", r.created.Format(time.RFC3339), info.Created.Format(time.RFC3339))
		case info.LastSeq+1 < r.next:
			return fmt.Errorf("the stream was cut short: sequence %d was read, it now ends at %d", r.next-1, info.LastSeq)
		default:
			err = r.open(ctx, info)
		}
		if err == nil {
			return nil
		}
		if serr := r.stopped(ctx); serr != nil {
			return serr
		}
		r.bus.log.Debug("reader waits for the server", "stream", r.stream, "err", err)
		if err := pause(ctx, retryWait<<min(try, 5)); err != nil {
			return cmp.Or(r.stopped(ctx), err)
		}
	}
}

// drop forgets the consumer.
func (r *Reader) drop() {
	r.flow.stop()
	r.flow = nil
}
