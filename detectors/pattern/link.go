package pattern

import (
	"slices"
	"sort"
)

// link brings the records up to date with what was newly found in the hits,
// which hold all new matches: hits join records, records join one another.
//
// Records and gains are walked in order of time; the next one belongs to the
// one before if it begins at most the quiet gap after its end, or if a match
// spans the gap. A span that begins before these hits or ends after them is of
// an old match, and what it joins was joined then.
func (f *Fold) link(hits []held, g gains, spans cover) {
	if len(g) == 0 {
		return
	}
	from, to := f.recordsNear(hits[0].at, hits[len(hits)-1].at)
	old := f.records[from:to]
	joined := make([]record, 0, len(old)+1)

	for len(old) > 0 || len(g) > 0 {
		n := len(joined) - 1
		belongs := func(at int64) bool {
			return n >= 0 && (at <= joined[n].last.at+f.quiet || spans.reaches(at))
		}
		if len(old) > 0 && (len(g) == 0 || old[0].first <= hits[g[0].index].at) {
			if belongs(old[0].first) {
				joined[n].absorb(&old[0])
			} else {
				joined = append(joined, old[0])
			}
			old = old[1:]
			continue
		}
		h := &hits[g[0].index]
		if !belongs(h.at) {
			joined, n = append(joined, newRecord(h, len(f.pattern.Steps))), n+1
		}
		r := &joined[n]
		r.add(h, g[0])
		r.truncated = r.truncated || f.isCut(r.first)
		g = g[1:]
	}
	f.records = slices.Replace(f.records, from, to, joined...)
}

// recordsNear are those that end or begin within the quiet gap of [first,last].
func (f *Fold) recordsNear(first, last int64) (from, to int) {
	n := len(f.records)
	from = sort.Search(n, func(i int) bool { return f.records[i].last.at >= first-f.quiet })
	to = from + sort.Search(n-from, func(i int) bool { return f.records[from+i].first > last+f.quiet })
	return from, to
}

// cover tells whether the span of a match reaches an instant from before it:
// of a new match at least, for what an old one joins was joined. It is asked
// about instants in increasing order.
type cover interface{ reaches(at int64) bool }

// crossed is the cover of matches of which two can be crossed, see the package
// comment.
type crossed struct {
	hits  []held
	span  int64
	next  int // first hit not before the instant
	end   int // first hit from there on that ends a match
	start int // 1 + latest hit before the instant that starts a match
}

func (c *crossed) reaches(at int64) bool {
	for ; c.next < len(c.hits) && c.hits[c.next].at < at; c.next++ {
		if c.hits[c.next].is(starts) {
			c.start = c.next + 1
		}
	}
	c.end = max(c.end, c.next)
	for c.end < len(c.hits) && !c.hits[c.end].is(ends) {
		c.end++
	}
	return c.start > 0 && c.end < len(c.hits) && c.hits[c.end].at-c.hits[c.start-1].at <= c.span
}
