package simulator

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// horizon is how far back the API reaches.
const horizon = 120 * day

// page is what one request gets: references into the world's records, good
// only while the world's lock is held.
type page struct {
	records []*record
	next    cursor
	// more says that records may follow: the page is full. As in the real API
	// the next page can still turn out empty.
	more bool
}

// page returns up to limit records behind the cursor that can be returned now.
// The world's lock is held.
func (w *World) page(c cursor, limit int, now time.Time, options Options) page {
	p := page{next: c}
	if !options.LateBehindCursor {
		p.records = w.byTime(c, limit, now.UnixNano(), now, options)
	} else {
		p.records = w.byArrival(c, &p.next, limit, now, options)
	}
	if n := len(p.records); n > 0 && p.next.Taken == 0 {
		last := p.records[n-1]
		p.next.At, p.next.UUID = last.at, last.uuid()
	}
	firstPart := options.LateBehindCursor && p.next.Taken == 0
	p.more = len(p.records) == limit || firstPart && len(p.records) > 0
	return p
}

// byTime returns records in the order of time that arrived until the given
// moment. What arrives later with a time before the cursor is never returned.
func (w *World) byTime(c cursor, limit int, arrived int64, now time.Time, options Options) []*record {
	all := w.feeds[c.Feed]
	first, last := c.span(now, options)
	if c.UUID != "" {
		first = max(first, c.At)
	}
	from := sort.Search(len(all), func(i int) bool { return all[i].at >= first })
	var out []*record
	for i := from; i < len(all) && all[i].at < last && len(out) < limit; i++ {
		r := &all[i]
		if r.avail <= arrived && (c.UUID == "" || r.after(c.At, c.UUID)) {
			out = append(out, r)
		}
	}
	return out
}

// byArrival returns first, in the order of time, what had arrived when the
// chain began, and from then on what arrives, in the order of arrival and
// sorted by time within the page.
func (w *World) byArrival(c cursor, next *cursor, limit int, now time.Time, options Options) []*record {
	if c.Taken == 0 {
		out := w.byTime(c, limit, c.Began, now, options)
		if len(out) > 0 {
			return out
		}
		c.Taken = c.Began
	}
	first, last := c.span(now, options)
	var out []*record
	for i := range w.feeds[c.Feed] {
		r := &w.feeds[c.Feed][i]
		if r.avail > now.UnixNano() || r.at < first || r.at >= last {
			continue
		}
		if r.avail > c.Taken || r.avail == c.Taken && c.passed(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *record) int {
		return cmp.Or(cmp.Compare(a.avail, b.avail), a.compare(b))
	})
	out = out[:min(limit, len(out))]
	if n := len(out); n > 0 {
		next.Taken, next.At, next.UUID = out[n-1].avail, out[n-1].at, out[n-1].uuid()
	}
	slices.SortFunc(out, func(a, b *record) int { return a.compare(b) })
	return out
}

// passed says whether the record comes behind the cursor among those that
// arrived in the very moment the cursor stands at.
func (c cursor) passed(r *record) bool { return c.Taken != c.Began && r.after(c.At, c.UUID) }

// span is the stretch of time the cursor may return records of, in Unix ns:
// from first, before last.
func (c cursor) span(now time.Time, options Options) (first, last int64) {
	first, last = c.Start, int64(1<<63-1)
	if options.ExclusiveStart {
		first++
	}
	if c.End != 0 {
		last = c.End
	}
	return max(first, now.Add(-horizon).UnixNano()), last
}

// at finds the record at the cursor's place: the last one returned.
func (w *World) at(c cursor) *record {
	all := w.feeds[c.Feed]
	for i := sort.Search(len(all), func(i int) bool { return all[i].at >= c.At }); i < len(all) && all[i].at == c.At; i++ {
		if all[i].uuid() == c.UUID {
			return &all[i]
		}
	}
	return nil
}
