package pollers

import (
	"encoding/json"
	"fmt"
	"time"

	"watchword/bus"
	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

const (
	// maxRecord is the largest record that becomes an event.
	maxRecord = 512 << 10
	// maxMessage keeps an event's message under the bus's 1 MiB, headers included.
	maxMessage = 900 << 10
	// partBytes of a record set aside go into one message, where base64 makes
	// a third more of them.
	partBytes = 512 << 10
	// maxText bounds reason and id of a record set aside, in bytes.
	maxText = 1024
	// future is how far ahead of both clocks an event may be.
	future = 5 * time.Minute
	// historicalBefore the first connection an event counts as history.
	historicalBefore = 24 * time.Hour
)

// entry is what became of one record: the messages to publish, and what is
// known once they are stored.
type entry struct {
	msgs    []bus.Message
	part    bool // only the beginning of a large record set aside: the last entry of it counts
	aside   bool // set aside, under key
	key     idKey
	content uint64
	time    time.Time
	suspect bool
}

// sorted is a page's records told apart.
type sorted struct {
	entries []entry
	known   uint64 // records left out: they are stored already
	last    time.Time
	ordered bool // readable records came in order of time, by the millisecond
}

// sorter tells the records of a page apart. It changes nothing: what it finds
// is learnt only when it is stored.
type sorter struct {
	source  string
	feed    event.Feed
	account string
	first   time.Time // the feed's first connection
	now     time.Time // received
	latest  time.Time // the later of our clock and the server's
	known   *known

	complete time.Time // the feed's watermark before this page
}

func (s sorter) sort(items []json.RawMessage) sorted {
	out := sorted{ordered: true}
	page := newKnown(time.Time{}) // what this page brought, not yet stored
	for _, raw := range items {
		found, at := s.one(raw, page)
		if !at.IsZero() {
			if at.Truncate(time.Millisecond).Before(out.last.Truncate(time.Millisecond)) {
				out.ordered = false
			}
			out.last = at
		}
		if len(found) == 0 {
			out.known++
		}
		page.take(found)
		out.entries = append(out.entries, found...)
	}
	return out
}

// one reads a record and returns its entries, none if it is stored already. at
// is its time, zero where it has none to read.
func (s sorter) one(raw json.RawMessage, page *known) (found []entry, at time.Time) {
	if len(raw) > maxRecord {
		return s.aside(raw, "", fmt.Sprintf("larger than %d KiB", maxRecord>>10), page), time.Time{}
	}
	head, err := event.ReadHead(s.feed, raw)
	if err != nil {
		return s.aside(raw, "", err.Error(), page), time.Time{}
	}
	at = head.Timestamp
	id := event.ID(s.source, s.feed, head.UUID)
	hash, err := content(s.feed, raw)
	if err != nil {
		return s.aside(raw, id, err.Error(), page), at
	}
	key := keyOf([]byte(id))
	for _, k := range []*known{s.known, page} {
		if stored, same := k.has(key, hash); same {
			return nil, at
		} else if stored {
			return s.aside(raw, id, "known id with other content", page), at
		}
	}
	ev := event.Event{
		ID: id, Type: event.TypeOnePassword, Kind: s.feed.Kind(), Source: s.source,
		Account: head.AccountUUID, Time: at, Received: s.now,
		Historical: at.Before(s.first.Add(-historicalBefore)), Late: at.Before(s.complete), Raw: []byte(raw),
		// A day's grace: a backfill that begins at the edge takes a while.
		TimeSuspect: at.After(s.latest.Add(future)) || at.Before(s.now.Add(-onepassword.History-24*time.Hour)),
	}
	if ev.Account == "" {
		ev.Account = s.account
	}
	data, err := ev.Encode()
	if err == nil && len(data) > maxMessage {
		err = fmt.Errorf("larger than %d KiB as a message", maxMessage>>10)
	}
	if err != nil {
		return s.aside(raw, id, err.Error(), page), at
	}
	return []entry{{
		msgs: []bus.Message{{Subject: bus.EventSubject(&ev, head.Entity), Data: data}},
		key:  key, content: hash, time: at, suspect: ev.TimeSuspect,
	}}, at
}

// aside makes the entries of a record that becomes no event, none if the very
// same bytes were set aside before.
func (s sorter) aside(raw []byte, id, reason string, page *known) []entry {
	key := keyOf(raw)
	for _, k := range []*known{s.known, page} {
		if _, ok := k.aside[key]; ok {
			return nil
		}
	}
	return asideEntries(key, s.now, quarantine(s.source, s.feed, s.now, id, reason, raw))
}

// partsEach keeps an entry small enough for one batch.
const partsEach = 16

func asideEntries(key idKey, now time.Time, msgs []bus.Message) []entry {
	var out []entry
	for len(msgs) > partsEach {
		out = append(out, entry{msgs: msgs[:partsEach], part: true})
		msgs = msgs[partsEach:]
	}
	return append(out, entry{msgs: msgs, aside: true, key: key, time: now})
}

// quarantine makes the messages of a record set aside, large ones in parts.
func quarantine(source string, feed event.Feed, now time.Time, id, reason string, raw []byte) []bus.Message {
	parts := max(1, (len(raw)+partBytes-1)/partBytes)
	// Both can hold text of the record, and a message has an end.
	if len(reason) > maxText {
		reason = reason[:maxText]
	}
	if len(id) > maxText {
		id = ""
	}
	msgs := make([]bus.Message, 0, parts)
	for part := range parts {
		q := event.Quarantined{
			Source: source, Feed: feed, Reason: reason, Received: now, ID: id,
			Bytes: raw[part*partBytes : min(len(raw), (part+1)*partBytes)],
		}
		if parts > 1 {
			q.Part, q.Parts = part+1, parts
		}
		data, err := q.Encode()
		if err != nil {
			panic(fmt.Sprintf("a quarantined record of strings, times and bytes does not encode: %v", err))
		}
		msgs = append(msgs, bus.Message{
			Subject: bus.QuarantineSubject(event.TypeOnePassword, feed.Kind(), source), Data: data,
		})
	}
	return msgs
}
