package pattern

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"watchword/bus/alert"
	"watchword/rules"
)

// The oracle says what episodes a set of hits makes, straight from the meaning
// in the package comment and with no thought of cost. It shares nothing with
// the fold but the types that go in and out.

// found is what an oracle finds out about hits sorted by (time, id).
type found struct {
	steps []uint64      // per hit: the steps it is evidence for
	spans map[span]bool // every match, as first and last hit
}

type span struct{ first, last int }

// Evaluate gives the episodes of the hits by looking at every match there is.
// It is exponential: for a dozen hits.
func Evaluate(p *rules.Pattern, hits []Hit) []Episode {
	hits = sorted(hits)
	f := found{make([]uint64, len(hits)), map[span]bool{}}
	switch p.Word {
	case rules.Together:
		everyAssignment(p, hits, f)
		return cluster(p, hits, f)
	case rules.Travel:
		everyJourney(p, hits, f, haversine)
		return cluster(p, hits, f)
	}
	slots := slotsOf(p)
	n := len(slots)
	if p.Word == rules.Distinct {
		n = p.N
	}

	var match []int
	var extend func(from int)
	extend = func(from int) {
		if len(match) == n {
			f.spans[span{match[0], match[n-1]}] = true
			for slot, h := range match {
				f.steps[h] |= 1 << slots[slot%len(slots)]
			}
			return
		}
		for h := from; h < len(hits); h++ {
			if len(match) > 0 && hits[h].Time.Sub(hits[match[0]].Time) > p.Within {
				return
			}
			if hits[h].Steps&(1<<slots[len(match)%len(slots)]) == 0 {
				continue
			}
			if p.Word == rules.Distinct {
				same := func(m int) bool { return hits[m].Value == hits[h].Value }
				if hits[h].Value == "" || slices.ContainsFunc(match, same) {
					continue
				}
			}
			match = append(match, h)
			extend(h + 1)
			match = match[:len(match)-1]
		}
	}
	extend(0)
	return cluster(p, hits, f)
}

// evaluateByPairs is Evaluate for some hundred hits: it asks, for each two hits,
// whether a match begins with the one and ends with the other, and for each hit
// and slot whether a match takes it there.
func evaluateByPairs(p *rules.Pattern, hits []Hit) []Episode {
	hits = sorted(hits)
	f := found{make([]uint64, len(hits)), map[span]bool{}}
	switch p.Word {
	case rules.Distinct:
		distinctByPairs(p, hits, f)
	case rules.Together:
		togetherByPairs(p, hits, f)
	case rules.Travel:
		everyJourney(p, hits, f, byCosines)
	default:
		slotsByPairs(p, hits, f)
	}
	return cluster(p, hits, f)
}

func distinctByPairs(p *rules.Pattern, hits []Hit, f found) {
	for a := range hits {
		values := map[string]bool{}
		for z := a; z < len(hits) && hits[z].Time.Sub(hits[a].Time) <= p.Within; z++ {
			if v := hits[z].Value; v != "" && hits[z].Steps&1 != 0 {
				values[v] = true
			}
			if len(values) < p.N {
				continue
			}
			for h := a; h <= z; h++ {
				if hits[h].Value != "" {
					f.steps[h] |= hits[h].Steps & 1
				}
			}
			ends := hits[a].Value != "" && hits[z].Value != "" && hits[a].Steps&hits[z].Steps&1 != 0
			if ends && (p.N == 1 && a == z || p.N > 1 && hits[a].Value != hits[z].Value) {
				f.spans[span{a, z}] = true
			}
		}
	}
}

func slotsByPairs(p *rules.Pattern, hits []Hit, f found) {
	slots := slotsOf(p)
	n := len(slots)
	fits := func(h, slot int) bool { return hits[h].Steps&(1<<slots[slot]) != 0 }
	// fill takes the earliest hit for each slot in [slot, to), from hit h on,
	// and gives the hit after the last one; -1 if they run out.
	fill := func(h, slot, to int) int {
		for ; slot < to; slot++ {
			for h < len(hits) && !fits(h, slot) {
				h++
			}
			if h == len(hits) {
				return -1
			}
			h++
		}
		return h
	}
	for a := range hits {
		if !fits(a, 0) {
			continue
		}
		for h := a; h < len(hits) && hits[h].Time.Sub(hits[a].Time) <= p.Within; h++ {
			for slot := range slots {
				if !fits(h, slot) || (slot == 0) != (h == a) {
					continue
				}
				if next := fill(a, 0, slot); next < 0 || next > h {
					continue
				}
				last := fill(h+1, slot+1, n)
				if last < 0 || hits[last-1].Time.Sub(hits[a].Time) > p.Within {
					continue
				}
				f.steps[h] |= 1 << slots[slot]
				if slot == n-1 {
					f.spans[span{a, h}] = true
				}
			}
		}
	}
}

// everyAssignment gives every step every hit, as long as no hit is given twice
// and all lie within the window.
func everyAssignment(p *rules.Pattern, hits []Hit, f found) {
	var taken []int // by step: the hit
	var give func()
	give = func() {
		if k := len(taken); k < len(p.Steps) {
			for h := range hits {
				if hits[h].Steps&(1<<k) != 0 && !slices.Contains(taken, h) {
					taken = append(taken, h)
					give()
					taken = taken[:k]
				}
			}
			return
		}
		first, last := slices.Min(taken), slices.Max(taken)
		if hits[last].Time.Sub(hits[first].Time) > p.Within {
			return
		}
		f.spans[span{first, last}] = true
		for k, h := range taken {
			f.steps[h] |= 1 << k
		}
	}
	give()
}

// togetherByPairs gives, for each two hits, each hit between them each of its
// steps, and asks whether the others can then fill the other steps.
func togetherByPairs(p *rules.Pattern, hits []Hit, f found) {
	for a := range hits {
		for z := a + 1; z < len(hits) && hits[z].Time.Sub(hits[a].Time) <= p.Within; z++ {
			for h := a; h <= z; h++ {
				for k := range p.Steps {
					if hits[h].Steps&(1<<k) == 0 || !othersFill(p, hits[a:z+1], map[int]int{h - a: k}) {
						continue
					}
					f.steps[h] |= 1 << k
					if h > a {
						continue
					}
					for j := range p.Steps { // and the last one, too
						if j != k && hits[z].Steps&(1<<j) != 0 && othersFill(p, hits[a:z+1], map[int]int{0: k, z - a: j}) {
							f.spans[span{a, z}] = true
						}
					}
				}
			}
		}
	}
}

// othersFill tells whether the hits that are not given a step can fill the
// steps that are not given: step by step it looks for a free hit, or for one
// whose step another hit can take over.
func othersFill(p *rules.Pattern, hits []Hit, given map[int]int) bool {
	by := map[int]int{} // hit → step
	var fill func(step int, tried map[int]bool) bool
	fill = func(step int, tried map[int]bool) bool {
		for h := range hits {
			if _, fixed := given[h]; fixed || tried[h] || hits[h].Steps&(1<<step) == 0 {
				continue
			}
			tried[h] = true
			if other, busy := by[h]; !busy || fill(other, tried) {
				by[h] = step
				return true
			}
		}
		return false
	}
	for k := range p.Steps {
		if slices.Contains(slices.Collect(maps.Values(given)), k) {
			continue
		}
		if !fill(k, map[int]bool{}) {
			return false
		}
	}
	return true
}

// everyJourney asks of each two hits whether anybody can have been at both.
func everyJourney(p *rules.Pattern, hits []Hit, f found, km func(lat1, lon1, lat2, lon2 float64) float64) {
	type place struct {
		lat, lon float64
		known    bool
	}
	at := make([]place, len(hits))
	for i, h := range hits {
		n, _ := fmt.Sscanf(h.Value, "%g,%g", &at[i].lat, &at[i].lon)
		at[i].known = n == 2 && h.Steps&1 != 0 && math.Abs(at[i].lat) <= 90 && math.Abs(at[i].lon) <= 180
	}
	for z := range hits {
		for a := range z {
			took := hits[z].Time.Sub(hits[a].Time)
			if !at[a].known || !at[z].known || took > p.Within {
				continue
			}
			far := km(at[a].lat, at[a].lon, at[z].lat, at[z].lon)
			if far <= 100 || took > 0 && far/took.Hours() <= p.KmPerHour {
				continue
			}
			f.spans[span{a, z}] = true
			f.steps[a] |= 1
			f.steps[z] |= 1
		}
	}
}

// haversine and byCosines are the distance on the sphere by two textbooks.
func haversine(lat1, lon1, lat2, lon2 float64) float64 {
	rad := math.Pi / 180
	h := math.Pow(math.Sin((lat2-lat1)*rad/2), 2) +
		math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Pow(math.Sin((lon2-lon1)*rad/2), 2)
	return 6371.0088 * 2 * math.Asin(math.Min(1, math.Sqrt(h)))
}

func byCosines(lat1, lon1, lat2, lon2 float64) float64 {
	rad := math.Pi / 180
	c := math.Sin(lat1*rad)*math.Sin(lat2*rad) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Cos((lon2-lon1)*rad)
	return 6371.0088 * math.Acos(math.Max(-1, math.Min(1, c)))
}

// slotsOf lists the step of each slot of a match.
func slotsOf(p *rules.Pattern) (slots []int) {
	for k, s := range p.Steps {
		n := s.Times
		if p.Word == rules.Times {
			n = p.N
		}
		for range n {
			slots = append(slots, k)
		}
	}
	return slots
}

// sorted are the different hits in order.
func sorted(hits []Hit) []Hit {
	hits = slices.Clone(hits)
	slices.SortFunc(hits, func(a, b Hit) int {
		switch {
		case a.Before(&b):
			return -1
		case b.Before(&a):
			return 1
		}
		return 0
	})
	return slices.CompactFunc(hits, func(a, b Hit) bool { return a.ID == b.ID })
}

// cluster makes episodes of matches: it joins what is near until nothing is.
func cluster(p *rules.Pattern, hits []Hit, f found) []Episode {
	type group struct {
		first, last time.Time
		ends        []int
	}
	var groups []group
	for s := range f.spans {
		g := group{hits[s.first].Time, hits[s.last].Time, []int{s.last}}
		for again := true; again; {
			again = false
			for i, o := range groups {
				if o.first.Sub(g.last) <= p.Quiet && g.first.Sub(o.last) <= p.Quiet {
					if o.first.Before(g.first) {
						g.first = o.first
					}
					if o.last.After(g.last) {
						g.last = o.last
					}
					g.ends = append(g.ends, o.ends...)
					groups = slices.Delete(groups, i, i+1)
					again = true
					break
				}
			}
		}
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b group) int { return a.first.Compare(b.first) })

	var episodes []Episode
	for _, g := range groups {
		first, last := hits[slices.Min(g.ends)], hits[slices.Max(g.ends)]
		e := Episode{
			First: g.first, Last: g.last, Steps: make([]int, len(p.Steps)),
			Completed:     Ref{first.Time, first.ID},
			CompletedLast: Ref{last.Time, last.ID}, Historical: last.Historical,
		}
		for i, h := range hits {
			if f.steps[i] == 0 || h.Time.Before(g.first) || h.Time.After(g.last) {
				continue
			}
			e.Count++
			for k := range e.Steps {
				e.Steps[k] += int(f.steps[i] >> k & 1)
			}
			e.Evidence = append(e.Evidence, Evidence{h.ID, h.Seq, h.Time, f.steps[i], h.Person, h.Place})
		}
		e.Evidence = e.Evidence[max(0, len(e.Evidence)-alert.MaxEvidence):]
		episodes = append(episodes, e)
	}
	return episodes
}
