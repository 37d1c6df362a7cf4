package pollers

import (
	"maps"
	"time"

	"watchword/bus/event"
)

// sweep is a regular second reading: a cursor can pass records that the API
// indexes late, and item usages reach it only when an app syncs.
type sweep struct {
	name  string
	back  time.Duration // how far back it reads
	every time.Duration
}

// sweeps, the shortest first. One that ended counts for the shorter ones too.
var sweeps = []sweep{
	{"24h", 24 * time.Hour, time.Hour},
	{"7d", 7 * 24 * time.Hour, 24 * time.Hour},
	{"30d", sweepHorizon, 7 * 24 * time.Hour},
}

// sweepHorizon is how far back any sweep reads.
const sweepHorizon = 30 * 24 * time.Hour

// dueSweep is the longest sweep whose time has come, and nil if none has. A
// sweep begins its rounds at the first connection, and none ends beyond the
// watermark, where the feed itself is still at work.
func dueSweep(m event.Progress, now time.Time) *event.SweepPosition {
	if m.First.IsZero() || m.Watermark.IsZero() || m.HasMore {
		return nil
	}
	for i := len(sweeps) - 1; i >= 0; i-- {
		s := sweeps[i]
		last := later(m.First, m.Sweeps[s.name])
		if now.Before(last.Add(s.every)) {
			continue
		}
		from := later(now.Add(-s.back), m.Start)
		if from.Before(m.Watermark) {
			return &event.SweepPosition{Name: s.name, From: from.UTC(), To: m.Watermark}
		}
	}
	return nil
}

// sweepEnded is the record of ended sweeps with this one and the shorter ones
// added. The map given is not changed.
func sweepEnded(ended map[string]time.Time, name string, now time.Time) map[string]time.Time {
	out := maps.Clone(ended)
	if out == nil {
		out = map[string]time.Time{}
	}
	for _, s := range sweeps {
		out[s.name] = now.UTC()
		if s.name == name {
			break
		}
	}
	return out
}
