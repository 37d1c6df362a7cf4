package simulator

import (
	"slices"
	"strings"
	"time"

	"watchword/bus/event"
)

// record is one event of a feed, small enough that a million of them fit
// easily; its JSON is written when somebody asks for it.
type record struct {
	at    int64  // Unix ns: what the API calls timestamp
	avail int64  // Unix ns: from when on the API can return it
	seed  uint64 // names the record: its uuid and its small differences
	who   int32  // index into World.people: who acted
	other int32  // index into World.people: whom an audit event is about; -1 nobody
	thing uint32 // item: vault<<16 | number of the item in it; audit: number of the object
	verb  uint8  // index into the verbs of the feed
	spot  uint8  // index into the person's spots
	tool  uint8  // index into the person's devices
	scene *scene // what a story says otherwise; nil in ordinary life
}

// scene overrides where and with what something was done. A record with a
// scene is always complete: rules can rely on what a story is about.
type scene struct {
	spot    spot
	device  device
	details string // what a firewall rule matched
}

func (r *record) uuid() string { return string(appendUUID(nil, r.seed, upperAlphabet)) }

// compare orders records as the API does: by time, then uuid.
func (r *record) compare(other *record) int {
	if r.at != other.at {
		if r.at < other.at {
			return -1
		}
		return 1
	}
	return strings.Compare(r.uuid(), other.uuid())
}

// after says whether the record comes after the place (time, uuid).
func (r *record) after(at int64, uuid string) bool {
	return r.at > at || r.at == at && r.uuid() > uuid
}

// feedNumber is the position of the feed in event.Feeds.
func feedNumber(f event.Feed) int { return slices.Index(event.Feeds, f) }

const (
	signins = iota
	items
	audits
	feedCount
)

// refresh is how often the API's index takes in what arrived. All that lies in
// one stretch becomes visible together and in order, so that an ordinary
// record is never behind a cursor; only a late one is.
const refresh = 2 * time.Second

// promptly is when a record that arrives at once can be returned.
func promptly(at int64) int64 {
	step := int64(refresh)
	return (at/step + 2) * step
}
