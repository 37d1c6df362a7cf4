package pollers

import (
	"encoding/json"
	"testing"

	"watchword/bus/event"
	"watchword/pollers/onepassword"
	"watchword/pollers/onepassword/simulator"
)

// BenchmarkIntake tells a page of 500 item usages apart, new ones and known
// ones: what a poller does for each record between the answer and the commit.
func BenchmarkIntake(b *testing.B) {
	var items []json.RawMessage
	world := smallWorld(4, false)
	world.Records(event.FeedItemUsages, func(r simulator.Record) bool {
		items = append(items, r.JSON)
		return len(items) < onepassword.PageLimit
	})
	s := someSorter()
	s.feed = event.FeedItemUsages
	perEvent := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(items)), "ns/event")
	}
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if out := s.sort(items); len(out.entries) != len(items) {
				b.Fatal("not all are new")
			}
		}
		perEvent(b)
	})
	s.known.take(s.sort(items).entries)
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if out := s.sort(items); len(out.entries) != 0 {
				b.Fatal("not all are known")
			}
		}
		perEvent(b)
	})
}
