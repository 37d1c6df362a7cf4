package pattern

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
	"unique"

	"watchword/bus/alert"
	"watchword/rules"
)

// benchPatterns is one pattern per word, or some where the cost depends on what
// the hits are like, with a window of a day.
var benchPatterns = []struct {
	name string
	*rules.Pattern
	places int  // of Travel: so many all over the world
	city   bool // of Travel: all of them near one another
	any    bool // a hit matches any steps, not one
}{
	{name: "bare", Pattern: &rules.Pattern{Word: rules.Bare, Steps: steps(1)}},
	{name: "times", Pattern: &rules.Pattern{Word: rules.Times, N: 10, Steps: steps(1)}},
	{name: "distinct", Pattern: &rules.Pattern{Word: rules.Distinct, N: 20, Steps: steps(1)}},
	{name: "sequence", Pattern: &rules.Pattern{Word: rules.Sequence, Steps: steps(5, 1, 1)}},
	{name: "sequence of 64", Pattern: &rules.Pattern{Word: rules.Sequence, Steps: steps(make([]int, rules.MaxSlots)...)}},
	{name: "together", Pattern: &rules.Pattern{Word: rules.Together, Steps: steps(1, 1)}},
	{name: "together of 8", Pattern: &rules.Pattern{Word: rules.Together, Steps: steps(make([]int, rules.MaxTogether)...)}},
	{name: "together of 8 at once", Pattern: &rules.Pattern{Word: rules.Together, Steps: steps(make([]int, rules.MaxTogether)...)}, any: true},
	{name: "travel, 3 places", Pattern: &rules.Pattern{Word: rules.Travel, KmPerHour: 900, Steps: steps(1)}, places: 3},
	{name: "travel, 256 places", Pattern: &rules.Pattern{Word: rules.Travel, KmPerHour: 900, Steps: steps(1)}, places: 256},
	{name: "travel, 256 places of a city", Pattern: &rules.Pattern{Word: rules.Travel, KmPerHour: 900, Steps: steps(1)}, places: 256, city: true},
	{name: "travel, 256 places by rocket", Pattern: &rules.Pattern{Word: rules.Travel, KmPerHour: 1e8, Steps: steps(1)}, places: 256},
	{name: "travel, 20000 places", Pattern: &rules.Pattern{Word: rules.Travel, KmPerHour: 900, Steps: steps(1)}, places: 20_000},
}

func init() {
	for _, p := range benchPatterns {
		p.Within, p.Quiet = 24*time.Hour, time.Hour
	}
}

// benchHits are n hits of a key, some time apart, of the i-th pattern. They
// fill one step each unless it says otherwise.
func benchHits(which, n int, apart time.Duration) []Hit {
	p := benchPatterns[which]
	person, place := unique.Make(alert.Person{UUID: "P"}), unique.Make(alert.Place{IP: "192.0.2.1"})
	dice := rand.New(rand.NewPCG(1, 2))
	places := make([]string, p.places)
	for i := range places {
		c := rules.Coordinates{Latitude: math.Asin(2*dice.Float64()-1) * 180 / math.Pi, Longitude: 360*dice.Float64() - 180}
		if p.city {
			c = rules.Coordinates{Latitude: 52 + dice.Float64()/2, Longitude: 13 + dice.Float64()/2}
		}
		places[i] = c.String()
	}
	hits := make([]Hit, n)
	for i := range hits {
		hits[i] = Hit{
			Time: epoch.Add(time.Duration(i) * apart), ID: fmt.Sprintf("acme/signinattempts/%026d", i), Seq: uint64(i + 1),
			Steps: 1 << (i * 7 % len(p.Steps)), Value: fmt.Sprint("value ", i%5000), Person: person, Place: place,
		}
		if p.any {
			hits[i].Steps = dice.Uint64()%(1<<len(p.Steps)-1) + 1
		}
		if p.places > 0 {
			hits[i].Value = places[dice.IntN(p.places)]
		}
	}
	return hits
}

// BenchmarkDenseKey: 100,000 hits of one key in its window, in batches of 500,
// in order or in reverse. The promise is two seconds in total for every word.
//
// An Apply looks at all hits held, 50,000 on average, 200 times: 10 million
// visits, at 5 to 50 ns. For travel, each new hit is besides compared with each
// place, twice: up to 51 million comparisons, at 2 ns, and a fifth as many
// distances, at 40.
func BenchmarkDenseKey(b *testing.B) {
	const n, batch = 100_000, 500
	for which, p := range benchPatterns {
		for _, order := range []string{"in order", "reversed"} {
			b.Run(p.name+"/"+order, func(b *testing.B) {
				hits := benchHits(which, n, 800*time.Millisecond)
				if order == "reversed" {
					slices.Reverse(hits)
				}
				for b.Loop() {
					f := New(p.Pattern, time.Time{}, 0)
					for part := range slices.Chunk(hits, batch) {
						f.Apply(part)
					}
				}
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/100k-hits")
			})
		}
	}
}

// BenchmarkApply: one hit at a time. A sparse key has one hit an hour, a dense
// one has a thousand in its window; both are pruned as time goes on.
func BenchmarkApply(b *testing.B) {
	for which, p := range benchPatterns {
		for _, key := range []struct {
			name  string
			apart time.Duration
		}{{"sparse", time.Hour}, {"dense", 86 * time.Second}} {
			b.Run(p.name+"/"+key.name, func(b *testing.B) {
				hits := benchHits(which, 4096, key.apart)
				f, i, round := New(p.Pattern, time.Time{}, 0), 0, time.Duration(0)
				b.ReportAllocs()
				for b.Loop() {
					h := hits[i%len(hits)]
					h.Time = h.Time.Add(round)
					f.Apply([]Hit{h})
					if i++; i%64 == 0 {
						f.Prune(h.Time)
					}
					if i%len(hits) == 0 {
						round += time.Duration(len(hits)) * key.apart
					}
				}
			})
		}
	}
}

// BenchmarkMemory tells the bytes that a held hit takes, its id not counted.
func BenchmarkMemory(b *testing.B) {
	const n = 100_000
	for which, p := range benchPatterns {
		b.Run(p.name, func(b *testing.B) {
			hits := benchHits(which, n, time.Second)
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				f := New(p.Pattern, time.Time{}, 0)
				f.Apply(hits)
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(max(1, f.Len())), "B/hit")
				runtime.KeepAlive(f)
			}
		})
	}
}
