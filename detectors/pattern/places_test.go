package pattern

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/rules"
)

// The distance of two points is the distance of two textbooks.
func TestDistance(t *testing.T) {
	check(t, func(t *rapid.T) {
		draw := func(what string, most float64) float64 {
			return oneOf(t, what, rapid.Float64Range(-most, most).Draw(t, what), -most, most, 0)
		}
		a := rules.Coordinates{Latitude: draw("lat", 90), Longitude: draw("lon", 180)}
		b := rules.Coordinates{Latitude: draw("lat", 90), Longitude: draw("lon", 180)}
		p, o := pointOf(a.String()), pointOf(b.String())
		have := p.km(&o)
		want := haversine(a.Latitude, a.Longitude, b.Latitude, b.Longitude)
		// Opposite points are known to some metres only, by either way.
		if math.Abs(have-want) > 1e-6 && (want < 20_000 || math.Abs(have-want) > 0.01) {
			t.Fatalf("%v to %v: have %v km, want %v", a, b, have, want)
		}
	})
}

func TestSoonest(t *testing.T) {
	equator := func(degrees float64) point { return pointOf(rules.Coordinates{Longitude: degrees}.String()) }
	here, day := equator(0), int64(24*time.Hour)
	for _, c := range []struct {
		name    string
		degrees float64
		speed   float64
		want    time.Duration
	}{
		{"near", 0.89, 1, tooNear},
		{"here", 0, 1e-300, tooNear},
		{"an hour", 90, math.Pi / 2 * rules.EarthRadiusKM, time.Hour - 1},
		{"longer than the window", 90, 1, 24 * time.Hour},
		{"standing still", 90, 1e-300, 24 * time.Hour},
		{"faster than light", 90, 1e300, 0},
	} {
		there := equator(c.degrees)
		have := time.Duration(soonest(&here, &there, c.speed, day))
		if d := have - c.want; d < -time.Microsecond || d > time.Microsecond || (c.want <= 0 && d != 0) {
			t.Errorf("%s: have %v, want %v", c.name, have, c.want)
		}
	}
}

// Beyond the places that a fold may hold: it holds no more, makes nothing up,
// and an episode that lacks something says so. In order, nothing is lost that
// lies within as many places.
func TestBoundOnPlaces(t *testing.T) {
	checkFewer(t, 2, func(t *rapid.T) {
		p := &rules.Pattern{Word: rules.Travel, KmPerHour: 111_000, Steps: steps(1), Quiet: time.Second}
		p.Within = time.Duration(between(t, 1, 9, "within")) * time.Second
		hits := drawHits(t, p, 40, 30)
		inOrder := rapid.Bool().Draw(t, "in order")
		if inOrder {
			hits = sorted(hits)
		}
		f := New(p, time.Time{}, 0)
		f.maxPlaces = between(t, 2, 6, "places")
		published := board{quiet: p.Quiet}
		var sofar []Hit
		for _, batch := range drawBatches(t, hits, false) {
			settled := f.Settled()
			changed, late := f.Apply(batch)
			published.publish(changed)
			for _, h := range late {
				if h.Time.After(settled) || inOrder {
					t.Fatalf("late at %v, settled %v", h.Time, settled)
				}
			}
			for _, h := range batch {
				if !slices.ContainsFunc(late, func(l Hit) bool { return l.ID == h.ID }) {
					sofar = append(sofar, h)
				}
			}
			places := map[uint32]bool{}
			for _, h := range f.timeline.hits {
				places[h.value] = true
			}
			if len(places) > f.maxPlaces || len(f.timeline.values.numbers) != len(places) {
				t.Fatalf("%d places held, %d remembered, bound %d", len(places), len(f.timeline.values.numbers), f.maxPlaces)
			}
			if known := len(slices.DeleteFunc(sorted(sofar), func(h Hit) bool { return h.Steps == 0 || h.Value == "" })); f.Len()+f.Trimmed() != known {
				t.Fatalf("%d hits held, %d cut, of %d", f.Len(), f.Trimmed(), known)
			}
			all := evaluateByPairs(p, sofar)
			for _, e := range f.Episodes() {
				i := slices.IndexFunc(all, func(o Episode) bool { return !o.First.After(e.First) && !o.Last.Before(e.Last) })
				if i < 0 || e.Count > all[i].Count {
					t.Fatalf("made up: %s\nof %s", show([]Episode{e}), show(all))
				}
				if e.Count < all[i].Count && !e.Truncated {
					t.Fatalf("less than there is and does not say so:\nhave %s\nof %s", show([]Episode{e}), show(all[i:i+1]))
				}
			}
			if f.Trimmed() == 0 {
				same(t, "episodes", p, f.Episodes(), all)
			}
		}
		if inOrder && mostPlaces(p, hits) <= f.maxPlaces {
			for i := range published.episodes {
				published.episodes[i].Truncated = false
			}
			same(t, "what is published", p, published.episodes, evaluateByPairs(p, hits))
		}
	})
}

// mostPlaces is how many places lie in any one window.
func mostPlaces(p *rules.Pattern, hits []Hit) (most int) {
	for i := range hits {
		places := map[string]bool{}
		for j := i; j >= 0 && hits[i].Time.Sub(hits[j].Time) <= p.Within; j-- {
			if hits[j].Value != "" && hits[j].Steps != 0 {
				places[hits[j].Value] = true
			}
		}
		most = max(most, len(places))
	}
	return most
}

// A batch from far more places than are held is taken as if it came bit by bit.
func TestManyPlacesAtOnce(t *testing.T) {
	p := &rules.Pattern{Word: rules.Travel, KmPerHour: 1000, Steps: steps(1), Within: time.Hour}
	var hits []Hit
	for i := range 3000 {
		hits = append(hits, Hit{Time: second(i), ID: fmt.Sprintf("e%04d", i), Steps: 1, Value: fmt.Sprintf("%d,%d", i%150-75, i/150*15-150)})
	}
	f := New(p, time.Time{}, 0)
	if f.Full() {
		t.Error("full with nothing in it")
	}
	f.Apply(hits)
	if f.Len() != maxPlaces || f.Trimmed() != 3000-maxPlaces || !f.Full() {
		t.Errorf("%d hits held, %d cut, full is %t", f.Len(), f.Trimmed(), f.Full())
	}
	all := f.Episodes()
	if len(all) != 1 || all[0].Count != 3000 || !all[0].Truncated {
		t.Errorf("have %s", brief(all))
	}
	changed, late := f.Apply([]Hit{{Time: second(0), ID: "late", Steps: 1, Value: "0,0"}})
	if len(changed) != 0 || len(late) != 1 {
		t.Errorf("%d changed, %d late", len(changed), len(late))
	}
}

// Before 1970, too, two journeys are two.
func TestTravelLongAgo(t *testing.T) {
	p := &rules.Pattern{Word: rules.Travel, KmPerHour: 900, Steps: steps(1), Within: 24 * time.Hour, Quiet: time.Minute}
	hits := parseHits(t, "1a=0,0 2a=0,10 36001a=0,0 36002a=0,10")
	for i := range hits {
		hits[i].Time = hits[i].Time.AddDate(-100, 0, 0)
	}
	f := New(p, time.Time{}, 0)
	f.Apply(hits)
	if all := f.Episodes(); len(all) != 2 {
		t.Errorf("have %s", brief(all))
	}
}

// What a burst of values took is let go of, and the values that are left are
// still known.
func TestTighten(t *testing.T) {
	p := &rules.Pattern{Word: rules.Distinct, N: 2, Steps: steps(1), Within: 10 * time.Second}
	f := New(p, time.Time{}, 0)
	var burst []Hit
	for i := range 1000 {
		burst = append(burst, Hit{Time: second(0), ID: fmt.Sprintf("burst%04d", i), Steps: 1, Value: fmt.Sprint(i)})
	}
	f.Apply(burst)
	f.Apply(parseHits(t, "100a=x 101a=x"))
	f.Prune(second(115))
	if n := len(f.timeline.values.texts); f.Len() != 2 || n != 2 {
		t.Fatalf("%d hits held, %d values remembered", f.Len(), n)
	}
	if changed, _ := f.Apply([]Hit{{Time: second(106), ID: "x", Steps: 1, Value: "x"}}); len(changed) != 0 {
		t.Errorf("the same value again makes %s", brief(changed))
	}
	changed, _ := f.Apply([]Hit{{Time: second(107), ID: "y", Steps: 1, Value: "y"}})
	if have, want := brief(changed), "100-107 4 [4] y"; have != want {
		t.Errorf("another value makes %s, want %s", have, want)
	}
}
