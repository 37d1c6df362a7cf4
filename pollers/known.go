package pollers

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"watchword/bus"
	"watchword/bus/event"
)

// known is what one feed has in EVENTS within the reach of its sweeps: for
// each event id a hash of its content and its day, and the hash of every record
// set aside. It is a cache of the stream, rebuilt from it at start.
//
// An entry takes 24 bytes and the map's overhead: a million events, some 60 MB.
type known struct {
	events map[idKey]uint64 // 48 bits of content hash, 16 bits of day
	aside  map[idKey]uint16 // day it was set aside
	seq    uint64           // EVENTS is read up to here
	from   time.Time        // ids of events before are not kept
	// earliest is the first time a poller of this feed received anything.
	earliest time.Time
}

// idKey is the first half of a SHA-256.
type idKey [16]byte

func keyOf(b []byte) idKey {
	sum := sha256.Sum256(b)
	return idKey(sum[:16])
}

func newKnown(from time.Time) *known {
	return &known{events: map[idKey]uint64{}, aside: map[idKey]uint16{}, from: from}
}

const dayBits = 16

func day(t time.Time) uint16 {
	return uint16(max(0, min(t.Unix()/86400, 1<<dayBits-1)))
}

func pack(content uint64, t time.Time) uint64 { return content<<dayBits | uint64(day(t)) }

// has tells whether the id is stored, and if so whether with this content.
func (k *known) has(id idKey, content uint64) (stored, same bool) {
	v, ok := k.events[id]
	return ok, ok && v>>dayBits == content
}

func (k *known) add(id idKey, content uint64, t time.Time) { k.events[id] = pack(content, t) }

// take learns what the entries are, once they are stored.
func (k *known) take(entries []entry) {
	for _, e := range entries {
		switch {
		case e.part:
		case e.aside:
			k.aside[e.key] = day(e.time)
		default:
			k.add(e.key, e.content, e.time)
		}
	}
}

// forget drops what happened, or was set aside, before t.
func (k *known) forget(t time.Time) {
	if day(t) <= day(k.from) {
		return
	}
	k.from = t
	oldest := day(t)
	for id, v := range k.events {
		if uint16(v) < oldest {
			delete(k.events, id)
		}
	}
	for id, d := range k.aside {
		if d < oldest {
			delete(k.aside, id)
		}
	}
}

// content hashes what rules can see of a record. It is not a hash of the
// bytes: the API has gained fields before, v1 leaves out some of v2, and the
// order of fields says nothing; a re-read of 30 days must not take each of
// those for a changed event. So the fields only v2 has are left out too.
func content(feed event.Feed, raw []byte) (uint64, error) {
	e := event.Event{ID: "-", Kind: feed.Kind(), Raw: raw}
	f, err := e.Fields()
	if err != nil {
		return 0, err
	}
	f.User.Type = ""
	b, err := json.Marshal(f)
	if err != nil {
		return 0, fmt.Errorf("hash the content: %w", err)
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:8]) >> dayBits, nil
}

// stream is the part of the bus that a feed uses; *bus.Bus has it.
type stream interface {
	Commit(ctx context.Context, stream string, fence bus.Fence, msgs []bus.Message) (uint64, error)
	Last(ctx context.Context, stream, subject string) (bus.Stored, error)
	Info(ctx context.Context, stream string) (bus.StreamInfo, error)
	Read(ctx context.Context, stream string, o bus.ReadOptions) (*bus.Reader, error)
}

// slack is added to spans that are measured by one clock and read by another:
// messages are found by when the bus stored them, wanted by when they happened.
const slack = 24 * time.Hour

// read brings k up to the sequence last: what was stored of the feed since back
// before now, or, when it was read before, since then.
func (k *known) read(ctx context.Context, s stream, source string, feed event.Feed, back time.Duration, last uint64) error {
	if last <= k.seq {
		return nil
	}
	o := bus.ReadOptions{
		Filters: []string{
			bus.EventFilter(event.TypeOnePassword, feed.Kind(), source, ""),
			bus.QuarantineSubject(event.TypeOnePassword, feed.Kind(), source),
		},
		Until: last,
	}
	if k.seq > 0 {
		o.StartSeq = k.seq + 1
	} else {
		// Events are dated by their own clock, which a simulation runs at its own
		// speed, and messages by the bus's: the earlier reading is the safe one.
		o.StartTime = earlier(k.from, time.Now().Add(-back)).Add(-slack)
	}
	r, err := s.Read(ctx, bus.Events, o)
	if err != nil {
		return fmt.Errorf("read the known ids of %s %s: %w", source, feed, err)
	}
	defer r.Close()
	parts := sha256.New()
	for {
		msgs, err := r.Next(ctx, 1000)
		if errors.Is(err, io.EOF) {
			k.seq = last
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the known ids of %s %s: %w", source, feed, err)
		}
		for _, m := range msgs {
			if m.Subject == o.Filters[1] {
				q, err := event.DecodeQuarantined(m.Data)
				if err != nil {
					continue // not ours to read; it only means that record may be set aside again
				}
				if q.Part <= 1 {
					parts.Reset()
				}
				parts.Write(q.Bytes)
				if q.Part == q.Parts {
					k.aside[idKey(parts.Sum(nil)[:16])] = day(q.Received)
				}
				continue
			}
			k.learn(feed, m)
		}
	}
}

func (k *known) learn(feed event.Feed, m bus.Stored) {
	e, err := event.Decode(m.Data)
	if err != nil {
		return // whoever wrote it, it is no event of ours
	}
	c, err := content(feed, e.Raw)
	if err != nil {
		return
	}
	if k.earliest.IsZero() || e.Received.Before(k.earliest) {
		k.earliest = e.Received
	}
	k.add(keyOf([]byte(e.ID)), c, e.Time)
}
