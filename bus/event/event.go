// Package event holds what travels from pollers to detectors: the envelope
// that is stored in the EVENTS stream, the typed payloads of the sources, the
// normalised Fields that rules name, and the progress marker of a feed.
//
// It is a leaf: it knows no bus, reads no clock and starts no goroutine, and it
// is the only place that decodes what a source sent, so no two parts of the
// program can read the same bytes differently.
package event

import (
	"bytes"
	"fmt"
	"time"

	"github.com/goccy/go-json"
)

// Kind is the sort of thing an event tells of. It is a subject token, the
// value of `kind` in rules, and part of what a feed is.
type Kind string

// The kinds of events.
const (
	KindSignin Kind = "signin"
	KindItem   Kind = "item"
	KindAudit  Kind = "audit"
)

// TypeOnePassword is the Type of every event of a 1Password account.
const TypeOnePassword = "onepassword"

// Feed is one of the three event streams of the 1Password Events API, by the
// API's own name, which is also the feature name in a token.
type Feed string

// The feeds of the 1Password Events API.
const (
	FeedSigninAttempts Feed = "signinattempts"
	FeedItemUsages     Feed = "itemusages"
	FeedAuditEvents    Feed = "auditevents"
)

// Feeds lists every feed, in the order they are shown to people.
var Feeds = []Feed{FeedSigninAttempts, FeedItemUsages, FeedAuditEvents}

// Kind is the kind of event the feed carries, empty for an unknown feed.
func (f Feed) Kind() Kind {
	switch f {
	case FeedSigninAttempts:
		return KindSignin
	case FeedItemUsages:
		return KindItem
	case FeedAuditEvents:
		return KindAudit
	}
	return ""
}

// FeedOf is the feed that carries the kind, empty for an unknown kind.
func FeedOf(k Kind) Feed {
	for _, f := range Feeds {
		if f.Kind() == k {
			return f
		}
	}
	return ""
}

// Event is the envelope of one event as it is stored in EVENTS.
// Once published it is not changed.
type Event struct {
	ID       string    `json:"id"`   // source/feed/uuid, see ID
	Type     string    `json:"type"` // "onepassword"
	Kind     Kind      `json:"kind"`
	Source   string    `json:"source"`            // the configured source's name
	Account  string    `json:"account,omitempty"` // account uuid, where known
	Time     time.Time `json:"time"`              // when it happened, UTC
	Received time.Time `json:"received"`          // when the poller read it, UTC

	// Historical marks an event that happened more than 24 h before the
	// source was first connected: known only by backfill.
	Historical bool `json:"historical,omitempty"`
	// TimeSuspect marks an event from the future (over 5 min) or from before
	// what the API can hold (120 days). Patterns that need completeness do not use it.
	TimeSuspect bool `json:"time_suspect,omitempty"`

	// Late marks an event that happened before its feed's watermark as it stood
	// when the event was stored: the feed had been called complete without it.
	Late bool `json:"late,omitempty"`

	// Raw is the API's own object, untouched.
	Raw json.RawMessage `json:"raw"`
}

// ID builds the identity of an event. The API promises its uuid to be unique
// within one account's feed only, so source and feed are part of it.
func ID(source string, feed Feed, uuid string) string {
	return source + "/" + string(feed) + "/" + uuid
}

// Encode returns the stored form of the envelope. The raw object, which must be
// valid JSON, is put in byte by byte as it came.
func (e *Event) Encode() ([]byte, error) {
	if len(e.Raw) == 0 {
		return nil, fmt.Errorf("encode event %s: no raw object", e.ID)
	}
	head := *e
	head.Raw = nil
	b, err := json.Marshal(&head)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	b = bytes.TrimSuffix(b, []byte(`null}`)) // the raw object is the last field
	b = append(b, e.Raw...)
	return append(b, '}'), nil
}

// Decode reads the stored form of an envelope. It refuses one without id,
// kind, source, time or raw object.
func Decode(data []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(data, &e); err != nil {
		return Event{}, fmt.Errorf("decode event: %w", err)
	}
	if err := e.complete(); err != nil {
		return Event{}, fmt.Errorf("decode %w", err)
	}
	return e, nil
}

// complete says which of the fields that every event has is missing.
func (e *Event) complete() error {
	switch {
	case e.ID == "":
		return fmt.Errorf("event: no id")
	case e.Kind == "":
		return fmt.Errorf("event %s: no kind", e.ID)
	case e.Source == "":
		return fmt.Errorf("event %s: no source", e.ID)
	case e.Time.IsZero():
		return fmt.Errorf("event %s: no time", e.ID)
	case len(e.Raw) == 0:
		return fmt.Errorf("event %s: no raw object", e.ID)
	}
	return nil
}
