package event

import (
	"fmt"
	"time"

	"github.com/goccy/go-json"
)

// Progress is the marker of one feed of one source: where its poller stands.
// It is written last in the same atomic batch as the events it stands behind,
// and only its newest revision is kept. Detectors read Watermark and First from
// it; people read the rest.
type Progress struct {
	Source  string `json:"source"`
	Feed    Feed   `json:"feed"`
	Account string `json:"account,omitempty"` // account uuid, where known

	// Cursor continues the feed; opaque, empty before the first page.
	Cursor string `json:"cursor,omitempty"`
	// APIVersion is the API version the cursor belongs to, "v2" or "v1".
	APIVersion string `json:"api_version,omitempty"`
	// First is when the source's feed was first connected. Zero: never yet.
	First time.Time `json:"first"`
	// Start is the time the backfill began at.
	Start time.Time `json:"start"`
	// Watermark: every event of the feed up to here is in EVENTS, save those
	// the API itself delivers late. Zero: nothing is known yet.
	Watermark time.Time `json:"watermark"`
	// Covered lists what has been watched or backfilled, joined, oldest first,
	// at most MaxCovered intervals.
	Covered []Interval `json:"covered,omitempty"`
	// Sweeps holds, by sweep name, when it last ended.
	Sweeps map[string]time.Time `json:"sweeps,omitempty"`
	// Sweep is where a running sweep stands, nil while none runs.
	Sweep *SweepPosition `json:"sweep,omitempty"`

	Polled  time.Time `json:"polled"`             // last answered poll
	HasMore bool      `json:"has_more,omitempty"` // still draining
	Counts  Counts    `json:"counts"`
	// Trouble says in plain words what is wrong, empty when nothing is.
	Trouble string `json:"trouble,omitempty"`
	// TroubleSince is when Trouble began.
	TroubleSince time.Time `json:"trouble_since,omitzero"`
}

// MaxCovered bounds Progress.Covered.
const MaxCovered = 64

// Interval is a span of event time, From inclusive, To inclusive.
type Interval struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// SweepPosition is where a sweep goes on after an interruption.
type SweepPosition struct {
	Name   string    `json:"name"`
	From   time.Time `json:"from"` // the span it re-reads
	To     time.Time `json:"to"`
	Cursor string    `json:"cursor,omitempty"` // empty: at From
}

// Counts of a feed since its first connection.
type Counts struct {
	Events      uint64 `json:"events"`      // stored
	Late        uint64 `json:"late"`        // stored by a sweep: the cursor had passed them
	Known       uint64 `json:"known"`       // seen again and left out
	Quarantined uint64 `json:"quarantined"` // set aside
	Suspect     uint64 `json:"suspect"`     // stored with time_suspect
}

// Encode returns the stored form of the marker.
func (p *Progress) Encode() ([]byte, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode progress of %s %s: %w", p.Source, p.Feed, err)
	}
	return b, nil
}

// DecodeProgress reads the stored form of a marker.
func DecodeProgress(data []byte) (Progress, error) {
	var p Progress
	if err := json.Unmarshal(data, &p); err != nil {
		return Progress{}, fmt.Errorf("decode progress: %w", err)
	}
	if p.Source == "" || p.Feed.Kind() == "" {
		return Progress{}, fmt.Errorf("decode progress: no source or unknown feed %q", p.Feed)
	}
	return p, nil
}
