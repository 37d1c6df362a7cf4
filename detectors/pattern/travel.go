package pattern

// markTravel marks the matches of Travel that hold a new hit: two hits so far
// apart, and so soon after one another, that nobody can have travelled. News
// are the new ones among the hits. All other matches were found when the later
// arrival of the two was new, so a fold that is given its hits in many batches
// does not look at each pair of hits again and again.
//
// For two places, a pair of hits is a match if the time between them is at most
// what soonest says. So a new hit is compared with the nearest hit of
// each other place; and at each place it leaves behind until when, on either
// side, hits there are a match with it: what the older hits are compared with.
// That is one step for an older hit and one for each place for a new one.
//
// Of the spans only the stretches of time that they cover are needed. A new hit
// is a match with all hits of a place up to some time. The span to the first of
// them is noted at the new hit. The span to any later one covers, beyond the span
// to the one before it, just the time between these two, and that is noted at the
// earlier of them. So no pair has to be looked for, however far its ends.
func markTravel(hits, news []held, j *journeys) (gains, cover) {
	reach := make([]int64, len(hits)) // by hit: up to when spans cover what comes after it
	for i := range reach {
		reach[i] = beginning
	}
	markBackward(hits, news, j, reach)
	return markForward(hits, news, j, reach), &stretches{hits: hits, reach: reach, until: beginning}
}

// waiting is what a sweep knows of a place.
type waiting struct {
	hit   int   // 1 + the hit there that was met last
	until int64 // hits there up to this time are a match with a new one met
	then  int64 // until, as it was when that hit was met
}

// markBackward finds the matches that begin with a hit, going back in time.
func markBackward(hits, news []held, j *journeys, reach []int64) {
	places := make([]waiting, len(j.places))
	for p := range places {
		places[p].until = never // nothing is later
	}
	for i, n := len(hits)-1, len(news)-1; i >= 0; i-- {
		h, p := &hits[i], &places[j.at[i]]
		if h.at >= p.until {
			h.marks |= starts
		}
		if p.hit > 0 && h.at >= p.then {
			reach[i] = max(reach[i], hits[p.hit-1].at)
		}
		p.hit, p.then = i+1, p.until
		if n < 0 || news[n].ref != h.ref {
			continue
		}
		n--
		for o, most := range j.from(i) {
			if most < 0 {
				continue
			}
			other := &places[o]
			if other.hit > 0 && hits[other.hit-1].at-h.at <= most {
				h.marks |= starts
				reach[i] = max(reach[i], hits[other.hit-1].at)
			}
			other.until = min(other.until, h.at-most)
		}
	}
}

// markForward finds the matches that end with a hit, and notes of all hits what
// they are newly found to be.
func markForward(hits, news []held, j *journeys, reach []int64) gains {
	var g gains
	places := make([]waiting, len(j.places))
	for p := range places {
		places[p].until = beginning // nothing is earlier
	}
	n := 0
	for i := range hits {
		h, p := &hits[i], &places[j.at[i]]
		end := h.at <= p.until
		if p.hit > 0 && h.at <= p.then {
			reach[p.hit-1] = max(reach[p.hit-1], h.at)
		}
		p.hit, p.then = i+1, p.until
		if n < len(news) && news[n].ref == h.ref {
			n++
			first := i
			for o, most := range j.from(i) {
				if most < 0 {
					continue
				}
				other := &places[o]
				if other.hit > 0 && h.at-hits[other.hit-1].at <= most {
					end, first = true, min(first, other.hit-1)
				}
				other.until = max(other.until, h.at+most)
			}
			reach[first] = max(reach[first], h.at)
		}
		if end || h.is(starts) {
			g.add(hits, i, 1, end)
		}
	}
	return g
}

// journeys are the places of some hits and how soon is too soon between them.
type journeys struct {
	at        []uint16 // by hit: its place, numbered from 0
	places    []point
	soon      [][]int64 // by two places, see soonest; a row is made when it is asked for
	kmPerHour float64
	within    int64
}

// journeysOf are those of the hits.
func (f *Fold) journeysOf(hits []held) *journeys {
	j := &journeys{at: make([]uint16, len(hits)), kmPerHour: f.pattern.KmPerHour, within: f.within}
	values := &f.timeline.values
	var numbered []uint32 // values, by place
	for i := range hits {
		v := hits[i].value
		if values.window[v] == 0 {
			j.places, numbered = append(j.places, pointOf(values.texts[v])), append(numbered, v)
			values.window[v] = int32(len(numbered))
		}
		j.at[i] = uint16(values.window[v] - 1)
	}
	for _, v := range numbered {
		values.window[v] = 0
	}
	j.soon = make([][]int64, len(j.places))
	return j
}

// from is, for each place, the longest time to it from that of hit i, or from
// it, that is a match; negative if none is.
func (j *journeys) from(i int) []int64 {
	p := j.at[i]
	if j.soon[p] == nil {
		row := make([]int64, len(j.places))
		for o := range row {
			if back := j.soon[o]; back != nil {
				row[o] = back[p]
			} else {
				row[o] = soonest(&j.places[p], &j.places[o], j.kmPerHour, j.within)
			}
		}
		j.soon[p] = row
	}
	return j.soon[p]
}

// stretches are what the spans of matches cover.
type stretches struct {
	hits  []held
	reach []int64
	next  int   // first hit not before the instant
	until int64 // up to when what comes after the hits before the instant is covered
}

func (s *stretches) reaches(at int64) bool {
	for ; s.next < len(s.hits) && s.hits[s.next].at < at; s.next++ {
		s.until = max(s.until, s.reach[s.next])
	}
	return at <= s.until
}
