package bus

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Limits bound the streams. What is zero is the default.
type Limits struct {
	EventsAge   time.Duration // how long events are kept; default 180 days
	AlertsAge   time.Duration // how long alerts are kept, longer than events and any rule's reach; default 400 days
	EventsBytes int64         // of EVENTS, before compression; default: chosen when the stream is created, and kept
	AlertsBytes int64         // of ALERTS, likewise
	FreeDisk    int64         // bytes of the store's disk that stay free; default a twentieth of it, from 64 MiB to 1 GiB
}

const (
	day = 24 * time.Hour
	mib = int64(1) << 20
	gib = int64(1) << 30
)

// DefaultLimits are the limits used where Config.Limits says nothing.
// Bytes and FreeDisk stay zero: they depend on the disk.
func DefaultLimits() Limits {
	return Limits{EventsAge: 180 * day, AlertsAge: 400 * day}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.EventsAge == 0 {
		l.EventsAge = d.EventsAge
	}
	if l.AlertsAge == 0 {
		l.AlertsAge = d.AlertsAge
	}
	return l
}

// smallest is the least size of a stream.
const smallest = 64 << 10

// maxMessage is the largest message in bytes, headers included. It is what a
// NATS server takes by default.
const maxMessage = 1 << 20

// A spec is one stream as it should be: the only place that says so.
type spec struct {
	name     string
	about    string
	subjects []string
	age      func(Limits) time.Duration
	bytes    func(Limits) int64 // 0: not given
	most     int64              // default bytes, when the disk is large
	share    int64              // default bytes, as one part in share of what is free when the disk is small
}

var specs = []spec{
	{
		name:     Events,
		about:    "Watchword: events as they were received, records set aside, and how far each feed has come",
		subjects: []string{AllEvents, AllProgress, AllQuarantined},
		age:      func(l Limits) time.Duration { return l.EventsAge },
		bytes:    func(l Limits) int64 { return l.EventsBytes },
		most:     10 * gib,
		share:    3,
	},
	{
		name:     Alerts,
		about:    "Watchword: alerts, one message for each revision, and what each partition has decided",
		subjects: []string{AllAlerts, AllLedgers},
		age:      func(l Limits) time.Duration { return l.AlertsAge },
		bytes:    func(l Limits) int64 { return l.AlertsBytes },
		most:     2 * gib,
		share:    12,
	},
}

// config is the stream to create; bytes is its size limit.
func (s spec) config(l Limits, bytes int64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:     s.name,
		Subjects: s.subjects,
		Storage:  jetstream.FileStorage,
		// Age is the only silent eviction. A stream that is full refuses.
		Retention:         jetstream.LimitsPolicy,
		Discard:           jetstream.DiscardNew,
		Replicas:          1,
		Description:       s.about,
		MaxAge:            s.age(l),
		MaxBytes:          bytes,
		MaxMsgs:           -1,
		MaxMsgsPerSubject: -1,
		MaxMsgSize:        maxMessage,
		// No message carries an id: one duplicate would refuse a whole batch, and
		// the fence already does the work.
		Duplicates: min(2*time.Minute, s.age(l)),
		// Events need a fifth of the disk with it, and reading them takes as long.
		// The size limit counts them uncompressed.
		Compression:        jetstream.S2Compression,
		AllowAtomicPublish: true,
		AllowRollup:        true,
		AllowMsgTTL:        true,
		// Direct reads may come from a replica that lags; markers and ledgers must
		// be read where they are written.
		AllowDirect: false,
	}
}

// adjust returns the stream as it is with our limits in place, and an error
// naming the field when it is a stream of another shape, which no update could
// turn into ours without harm. bytes 0 keeps the present limit.
func (s spec) adjust(have jetstream.StreamConfig, l Limits, bytes int64) (jetstream.StreamConfig, error) {
	want := s.config(l, bytes)
	shape := []struct {
		field      string
		have, want any
	}{
		{"storage", have.Storage, want.Storage},
		{"retention", have.Retention, want.Retention},
		{"mirror", have.Mirror != nil, false},
		{"sources", len(have.Sources) > 0, false},
		{"subject_transform", have.SubjectTransform != nil, false},
		{"sealed", have.Sealed, false},
		{"no_ack", have.NoAck, false},
		{"allow_msg_counter", have.AllowMsgCounter, false},
		{"deny_purge", have.DenyPurge, false},
		{"persist_mode", have.PersistMode, want.PersistMode},
	}
	for _, f := range shape {
		if f.have != f.want {
			return have, fmt.Errorf("stream %s is not Watchword's: its %s is %v, should be %v", s.name, f.field, f.have, f.want)
		}
	}
	if !sameSubjects(have.Subjects, want.Subjects) {
		return have, fmt.Errorf("stream %s is not Watchword's: its subjects are %s, should be %s",
			s.name, strings.Join(have.Subjects, " "), strings.Join(want.Subjects, " "))
	}
	next := have
	next.Description, next.Discard = want.Description, want.Discard
	next.MaxAge, next.MaxMsgs, next.MaxMsgsPerSubject, next.MaxMsgSize = want.MaxAge, want.MaxMsgs, want.MaxMsgsPerSubject, want.MaxMsgSize
	next.Duplicates, next.Compression = want.Duplicates, want.Compression
	next.DiscardNewPerSubject = want.DiscardNewPerSubject
	next.AllowAtomicPublish, next.AllowRollup, next.AllowMsgTTL, next.AllowDirect = true, true, true, false
	if bytes > 0 {
		next.MaxBytes = bytes
	} else if next.MaxBytes <= 0 {
		next.MaxBytes = s.most
	}
	return next, nil
}

func sameSubjects(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// takes tells whether the stream stores the subject.
func (s spec) takes(subject string) bool {
	for _, p := range s.subjects {
		if strings.HasPrefix(subject, strings.TrimSuffix(p, ">")) {
			return true
		}
	}
	return false
}

func specOf(stream string) (spec, bool) {
	for _, s := range specs {
		if s.name == stream {
			return s, true
		}
	}
	return spec{}, false
}

// checkStreams creates the streams that were never created, brings the limits
// of the others up to date, and refuses what is not ours or has gone missing.
func (b *Bus) checkStreams(ctx context.Context) error {
	for _, s := range specs {
		if err := b.checkStream(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bus) checkStream(ctx context.Context, s spec) error {
	bytes := s.bytes(b.cfg.Limits)
	known := b.known(s.name)
	if b.store != nil {
		bytes = b.store.sizes[s.name]
	}
	stream, err := b.js.Stream(ctx, s.name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound) && known != nil:
		return fmt.Errorf("store %s: stream %s, created %s, is missing or damaged; restore the directory from a backup, or move it away to begin anew",
			b.store.dir, s.name, known.Created.Format(time.RFC3339))
	case errors.Is(err, jetstream.ErrStreamNotFound) && b.cfg.ReadOnly:
		return fmt.Errorf("there is no stream %s yet: start watchword run first", s.name)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if bytes == 0 {
			bytes = s.most
		}
		stream, err = b.js.CreateStream(ctx, s.config(b.cfg.Limits, bytes))
		if err != nil {
			return fmt.Errorf("create stream %s: %w", s.name, err)
		}
		b.log.Info("stream created", "stream", s.name, "max_bytes", bytes, "max_age", s.age(b.cfg.Limits))
	case err != nil:
		return fmt.Errorf("look up stream %s: %w", s.name, err)
	}
	info := stream.CachedInfo()
	if known != nil && !known.Created.Equal(info.Created) {
		return fmt.Errorf("store %s: stream %s was created %s, but this store's own was created %s: the directory holds another store's data",
			b.store.dir, s.name, info.Created.Format(time.RFC3339Nano), known.Created.Format(time.RFC3339Nano))
	}
	want, err := s.adjust(info.Config, b.cfg.Limits, bytes)
	if err != nil {
		return err
	}
	if !b.cfg.ReadOnly && !reflect.DeepEqual(want, info.Config) {
		if stream, err = b.js.UpdateStream(ctx, want); err != nil {
			return fmt.Errorf("bring stream %s up to date: %w", s.name, err)
		}
		b.log.Info("stream limits changed", "stream", s.name, "max_bytes", want.MaxBytes, "max_age", want.MaxAge)
		info = stream.CachedInfo()
	}
	if !info.Config.AllowAtomicPublish {
		return fmt.Errorf("stream %s does not take atomic batches: the server is too old, nats-server %s or newer is needed", s.name, oldestServer)
	}
	if b.store == nil {
		return nil
	}
	if known != nil && info.State.LastSeq < known.LastSeq {
		b.log.Error("a stream is shorter than it was: its newest messages are lost", "stream", s.name, "ends_at", info.State.LastSeq, "ended_at", known.LastSeq)
	}
	if b.cfg.ReadOnly {
		return nil
	}
	return b.store.remember(s.name, info)
}

// sizes chooses the size of each stream: what is asked for, else what the
// stream has, else a part of what is free on the disk.
func sizes(l Limits, have map[string]*streamMark, free int64) map[string]int64 {
	out := make(map[string]int64, len(specs))
	for _, s := range specs {
		switch mark := have[s.name]; {
		case s.bytes(l) > 0:
			out[s.name] = s.bytes(l)
		case mark != nil:
			out[s.name] = mark.Bytes
		default:
			out[s.name] = min(s.most, free/s.share)
		}
	}
	return out
}
