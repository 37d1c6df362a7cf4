package simulator

import (
	"strings"
	"time"

	"watchword/bus/event"
)

// apiFeeds are the feeds' names by number.
var apiFeeds = func() []string {
	var names []string
	for _, f := range event.Feeds {
		names = append(names, string(f))
	}
	return names
}()

// answer writes the page behind the cursor: {"cursor":…,"has_more":…,"items":[…]}.
// Sent is the cursor as the client sent it, empty for a reset: an idle client
// gets back the very same. It returns the body and the number of true records.
func (w *World) answer(version apiVersion, at cursor, sent string, now time.Time, options Options, fault Fault) ([]byte, int) {
	w.mu.RLock()
	defer w.mu.RUnlock()

	extra := w.extra(version, at, fault)
	p := w.page(at, at.Limit-len(extra), now, options)
	next := p.next.encode()
	if fault.Kind == FaultEmptyPage && len(p.records) > 0 {
		p.records, p.more = nil, true
		next = at.encode()
	}
	if len(p.records) == 0 && sent != "" {
		next = sent
	}
	if fault.Kind == FaultFalseMore {
		p.more = true
	}

	b := make([]byte, 0, 256+len(p.records)*800)
	b = append(b, `{"cursor":"`...)
	b = append(b, next...)
	b = append(b, `","has_more":`...)
	if p.more {
		b = append(b, "true"...)
	} else {
		b = append(b, "false"...)
	}
	if len(p.records)+len(extra) == 0 && fault.Kind == FaultNullItems {
		return append(b, `,"items":null}`...), 0
	}
	b = append(b, `,"items":[`...)
	if fault.Kind == FaultDuplicate { // it comes before the others in time as well
		b, extra = appendItems(b, extra), nil
	}
	for i, r := range p.records {
		if i == len(p.records)/2 {
			b, extra = appendItems(b, extra), nil
		}
		b = append(w.appendRecord(b, at.Feed, r, version), ',')
	}
	b = appendItems(b, extra)
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, "]}"...), len(p.records)
}

func appendItems(b []byte, items [][]byte) []byte {
	for _, item := range items {
		b = append(append(b, item...), ',')
	}
	return b
}

// extra are the records that a fault adds to a page.
func (w *World) extra(version apiVersion, at cursor, fault Fault) [][]byte {
	id := upperUUID(w.seed, saltFaults, uint64(at.At), uint64(at.Feed))
	when := `"timestamp":"` + time.Unix(0, max(at.At, at.Start)).UTC().Format(time.RFC3339Nano) + `"`
	switch fault.Kind {
	case FaultDuplicate:
		if r := w.at(at); r != nil {
			return [][]byte{w.appendRecord(nil, at.Feed, r, version)}
		}
	case FaultBrokenRecord:
		return [][]byte{[]byte(`{"uuid":"` + id + `","timestamp":"yesterday","target_user":[],"user":7,"session":"none"}`)}
	case FaultNoUUID:
		return [][]byte{[]byte(`{` + when + `,"action":"unknown"}`)}
	case FaultOversized:
		return [][]byte{[]byte(`{"uuid":"` + id + `",` + when + `,"category":"success","action":"other","padding":"` +
			strings.Repeat("x", fault.Size) + `"}`)}
	}
	return nil
}
