package pattern

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"
	"unique"

	"watchword/bus/alert"
	"watchword/rules"
)

// benchPatterns is one pattern per word, with a window of a day.
var benchPatterns = []struct {
	name string
	*rules.Pattern
}{
	{"bare", &rules.Pattern{Word: rules.Bare, Steps: steps(1)}},
	{"times", &rules.Pattern{Word: rules.Times, N: 10, Steps: steps(1)}},
	{"distinct", &rules.Pattern{Word: rules.Distinct, N: 20, Steps: steps(1)}},
	{"sequence", &rules.Pattern{Word: rules.Sequence, Steps: steps(5, 1, 1)}},
	{"sequence of 64", &rules.Pattern{Word: rules.Sequence, Steps: steps(make([]int, rules.MaxSlots)...)}},
}

func init() {
	for _, p := range benchPatterns {
		p.Within, p.Quiet = 24*time.Hour, time.Hour
	}
}

// benchHits are n hits of a key, some time apart, that fill one step each.
func benchHits(p *rules.Pattern, n int, apart time.Duration) []Hit {
	person, place := unique.Make(alert.Person{UUID: "P"}), unique.Make(alert.Place{IP: "192.0.2.1"})
	hits := make([]Hit, n)
	for i := range hits {
		hits[i] = Hit{
			Time: epoch.Add(time.Duration(i) * apart), ID: fmt.Sprintf("acme/signinattempts/%026d", i), Seq: uint64(i + 1),
			Steps: 1 << (i * 7 % len(p.Steps)), Value: fmt.Sprint("value ", i%5000), Person: person, Place: place,
		}
	}
	return hits
}

// BenchmarkDenseKey: 100,000 hits of one key in its window, in batches of 500,
// in order or in reverse. The promise is two seconds in total for every word.
//
// An Apply looks at all hits held, 50,000 on average, 200 times: 10 million
// visits, at 5 to 50 ns.
func BenchmarkDenseKey(b *testing.B) {
	const n, batch = 100_000, 500
	for _, p := range benchPatterns {
		for _, order := range []string{"in order", "reversed"} {
			b.Run(p.name+"/"+order, func(b *testing.B) {
				hits := benchHits(p.Pattern, n, 800*time.Millisecond)
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
	for _, p := range benchPatterns {
		for _, key := range []struct {
			name  string
			apart time.Duration
		}{{"sparse", time.Hour}, {"dense", 86 * time.Second}} {
			b.Run(p.name+"/"+key.name, func(b *testing.B) {
				hits := benchHits(p.Pattern, 4096, key.apart)
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
	p := benchPatterns[1].Pattern
	hits := benchHits(p, n, time.Second)
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		f := New(p, time.Time{}, 0)
		f.Apply(hits)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/n, "B/hit")
		runtime.KeepAlive(f)
	}
}
