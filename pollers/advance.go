package pollers

import (
	"time"

	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

// mostStalled empty pages in a row that promise more are followed while their
// cursor moves; one that does not move is an end at once.
const mostStalled = 100

// ends tells whether the feed is drained with this page, and whether it is
// complete with it. They differ where the server promises more and brings
// nothing: that ends the drain, lest it spin, but is believed to be the end
// only when it happens three times in a row.
func (f *feed) ends(from onepassword.From, page onepassword.Page) (ended, complete bool) {
	if !page.HasMore {
		f.stalled = 0
		return true, true
	}
	if len(page.Items) > 0 {
		f.stalled = 0
		return false, false
	}
	f.stalled++
	ended = page.Cursor == from.Cursor || f.stalled >= mostStalled
	return ended, ended && f.stalled >= 3
}

// advance moves watermark and coverage by what the page tells.
func (f *feed) advance(next *event.Progress, page onepassword.Page, s sorted, complete bool) {
	bound := upTo(f.name, page)
	delete(f.notices, "order")
	switch {
	case complete:
	case !s.ordered:
		f.notice("order", "a page came out of order of time: how far the feed is complete is told again with the next one")
		return
	case s.last.IsZero():
		return
	default:
		bound = earlier(bound, before(s.last))
	}
	from := next.Watermark
	switch gapEnd := page.Started.Add(-onepassword.History - time.Hour); {
	case !f.from.IsZero():
		from = later(from, f.from)
	case from.IsZero():
		from = next.Start
	case from.Before(gapEnd):
		f.notice("gap", "records between "+from.Format(time.RFC3339)+" and "+gapEnd.UTC().Format(time.RFC3339)+
			" are lost: the API keeps 120 days, and the feed was not read for longer")
		from = gapEnd.UTC()
	}
	if bound.After(next.Watermark) {
		next.Watermark = bound
		next.Covered = cover(next.Covered, from, bound)
	}
}

// passedOver makes what is covered go on only behind a record that could not be
// read: at the first one behind it that could.
func (f *feed) passedOver(page onepassword.Page, s sorted) {
	f.from = s.last.Truncate(time.Millisecond)
	if s.last.IsZero() {
		f.from = upTo(f.name, page)
	}
	f.notice("unreadable", "an answer with a record before "+f.from.Format(time.RFC3339)+
		" could not be read in any size of page; its bytes are set aside and the feed goes on behind it")
	f.log.Error("a record could not be read and was passed over", "before", f.from)
}
