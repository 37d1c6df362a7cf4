package simulator

import (
	"net/http"
	"testing"

	"watchword/bus/event"
)

// Making a world costs well under two microseconds an event and about 60
// bytes: planning is arithmetic, and nothing is written as JSON.
func BenchmarkNewWorld(b *testing.B) {
	for b.Loop() {
		w := NewWorld(WorldConfig{Seed: 1, LateItemUsages: true})
		b.ReportMetric(float64(w.Count(event.FeedItemUsages))*float64(b.N)/b.Elapsed().Seconds(), "items/s")
	}
}

// A page of a thousand costs about a microsecond or two for each record's JSON.
func BenchmarkPage(b *testing.B) {
	w := NewWorld(WorldConfig{Seed: 1, Stories: []string{}})
	c := newClient(b, Config{Worlds: []*World{w}, Clock: NewManualClock(w.Complete()), Options: unlimited})
	first := c.page("/api/v2/itemusages", fromTheStart)
	for b.Loop() {
		if r := c.do(http.MethodPost, "/api/v2/itemusages", continuing(first.Cursor)); r.Code != http.StatusOK {
			b.Fatal(r.Code)
		}
	}
	b.ReportMetric(float64(b.N)*maxLimit/b.Elapsed().Seconds(), "records/s")
}
