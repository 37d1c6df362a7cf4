package pattern

import (
	"math"

	"watchword/rules"
)

// maxPlaces is how many different places of a key a fold of Travel holds. The
// work for a new hit grows with them. Beyond it the oldest hits are cut, as
// beyond the bound on hits, until those kept are from this many places.
const maxPlaces = 256

// nearKM: two places are far enough apart to travel between them if they lie
// more than this apart. Where an address is thought to be is seldom surer.
const nearKM = 100

// point is a place on earth as a vector of length 1 from its centre, so that
// distances cost no sines.
type point struct{ x, y, z float64 }

// pointOf is the place that a value of Travel tells. One that is none is
// nowhere: no distance to it compares.
func pointOf(value string) point {
	c, ok := rules.ParseCoordinates(value)
	if !ok {
		return point{math.NaN(), math.NaN(), math.NaN()}
	}
	lat, lon := c.Latitude*math.Pi/180, c.Longitude*math.Pi/180
	return point{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
}

// km is the distance along the great circle. It is the haversine formula: the
// haversine of an angle is a quarter of the square of its chord.
func (p *point) km(o *point) float64 {
	x, y, z := p.x-o.x, p.y-o.y, p.z-o.z
	return 2 * rules.EarthRadiusKM * math.Asin(math.Sqrt(min(1, (x*x+y*y+z*z)/4)))
}

// tooNear is between two places that are never a match.
const tooNear = -1

// soonest is the longest time between two hits at these places that is a
// match: too short to travel from one to the other, and within the window.
func soonest(p, o *point, kmPerHour float64, within int64) int64 {
	km := p.km(o)
	if !(km > nearKM) {
		return tooNear
	}
	trip := math.Ceil(km / kmPerHour * 3.6e12) // it takes ns, and being there in just that time can be
	if !(trip <= float64(within)) {
		return within
	}
	return int64(trip) - 1 // at least 0: at the same instant nobody is at two places
}

// piece is as much of a sorted batch as is to be taken in at once: all of it, as
// long as the hits held and the batch are from no more places than a fold may
// hold. Else it is cut by a part of these places, since the work for a hit grows
// with the places that are there until the oldest are cut.
func (f *Fold) piece(batch []held) []held {
	if !f.manyPlaces() {
		return batch
	}
	most := max(1, f.maxPlaces/4)
	places := make(map[uint32]struct{}, most)
	for i := range batch {
		if places[batch[i].value] = struct{}{}; len(places) > most {
			return batch[:i]
		}
	}
	return batch
}

// manyPlaces tells whether the hits, those about to be taken in included, are
// from more places than a fold may hold.
func (f *Fold) manyPlaces() bool {
	return f.pattern.Word == rules.Travel && len(f.timeline.values.numbers) > f.maxPlaces
}

// beyondPlaces is how many of the oldest hits are to be cut so that those kept
// are from no more places than a fold may hold.
func (f *Fold) beyondPlaces() int {
	if !f.manyPlaces() {
		return 0
	}
	places := make(map[uint32]struct{}, f.maxPlaces)
	for i := len(f.timeline.hits) - 1; i >= 0; i-- {
		if places[f.timeline.hits[i].value] = struct{}{}; len(places) > f.maxPlaces {
			return i + 1
		}
	}
	return 0
}
