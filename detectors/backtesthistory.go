package detectors

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"watchword/bus/alert"
	"watchword/detectors/pattern"
	"watchword/rules"
)

// History is what a Backtest found. It is not changed any more, and may be
// asked by several goroutines.
type History struct {
	HistoryStats
	since   time.Time // what ended before is left out
	sets    []*rules.Set
	matched []map[string]rules.RuleStats // for each set, by rule id

	known    map[eventKey]uint64 // content of each event, while reading
	harvests []harvest           // for each set, while reading
	keys     map[*rules.Rule][]keyHits
}

// HistoryStats counts what was read.
type HistoryStats struct {
	Records    uint64 // lines or messages
	Events     uint64 // different ones that were evaluated
	Repeated   uint64 // records of events that were there already
	LeftOut    uint64 // events that were not to be evaluated
	Unreadable uint64 // records that are no event
	SetAside   uint64 // records with a known id and other content
	Hits       uint64 // in all sets: events times rules times keys

	First, Last time.Time // of the events evaluated
}

// keyHits is the hits of one key, in the order of events.
type keyHits struct {
	key  rules.Key
	hits []pattern.Hit
}

func newHistory(sets []*rules.Set, since time.Time) *History {
	h := &History{since: since, sets: sets, known: map[eventKey]uint64{}, keys: map[*rules.Rule][]keyHits{}}
	for range sets {
		h.harvests = append(h.harvests, harvest{})
		h.matched = append(h.matched, map[string]rules.RuleStats{})
	}
	return h
}

// take takes in an evaluated batch. The first record of an id is the event.
func (h *History) take(b *batch, unused func(int, uint64, error)) {
	if unused == nil {
		unused = func(int, uint64, error) {}
	}
	for i := range b.events {
		e := &b.events[i]
		hits := b.hits[:e.hits]
		b.hits = b.hits[e.hits:]
		h.Records++
		switch content, known := h.known[e.key]; {
		case e.err != nil:
			h.Unreadable++
			unused(e.file, e.number, e.err)
		case e.left:
			h.LeftOut++
		case known && content == e.content:
			h.Repeated++
		case known:
			h.SetAside++
			unused(e.file, e.number, fmt.Errorf("the id %s is known with other content", e.id))
		default:
			h.known[e.key] = e.content
			h.note(e.time)
			for _, hit := range hits {
				h.harvests[hit.set][hit.key] = append(h.harvests[hit.set][hit.key], hit.hit)
			}
			h.Hits += uint64(len(hits))
		}
	}
}

func (h *History) note(t time.Time) {
	if h.Events++; h.First.IsZero() || t.Before(h.First) {
		h.First = t
	}
	if t.After(h.Last) {
		h.Last = t
	}
}

// count adds up what the matchers of one worker counted.
func (h *History) count(matchers []*rules.Matcher) {
	for i, m := range matchers {
		for _, s := range m.Stats() {
			sum := h.matched[i][s.Rule]
			sum.Rule = s.Rule
			sum.Matched, sum.Keyless, sum.Failed = sum.Matched+s.Matched, sum.Keyless+s.Keyless, sum.Failed+s.Failed
			sum.LastError = cmp.Or(s.LastError, sum.LastError)
			h.matched[i][s.Rule] = sum
		}
	}
}

// arrange puts the hits in order of rule and key.
func (h *History) arrange() {
	h.known = nil
	for _, harvested := range h.harvests {
		for k, hits := range harvested {
			h.keys[k.rule] = append(h.keys[k.rule], keyHits{k.key, hits})
		}
	}
	h.harvests = nil
	for _, keys := range h.keys {
		slices.SortFunc(keys, func(a, b keyHits) int { return strings.Compare(string(a.key), string(b.key)) })
		eachKey(keys, func(k keyHits) struct{} {
			slices.SortFunc(k.hits, func(a, b pattern.Hit) int {
				return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID))
			})
			return struct{}{}
		})
	}
}

// Matched is what was matched of each rule of a set, by rule id. Repeated
// records count again.
func (h *History) Matched(set *rules.Set) []rules.RuleStats {
	stats := h.matched[slices.Index(h.sets, set)]
	out := make([]rules.RuleStats, 0, len(stats))
	for _, id := range slices.Sorted(maps.Keys(stats)) {
		out = append(out, stats[id])
	}
	return out
}

// Keys is how many keys of the rule had an event.
func (h *History) Keys(rule *rules.Rule) int { return len(h.keys[rule]) }

// Alerts are the alerts of a rule of one of the sets, with all their evidence,
// by key and time.
func (h *History) Alerts(rule *rules.Rule) []alert.Alert {
	return slices.Concat(eachKey(h.keys[rule], func(k keyHits) []alert.Alert {
		alerts := alertsOf(foldKey{rule, k.key}, k.hits, allEvidence)
		return slices.DeleteFunc(alerts, func(a alert.Alert) bool { return h.isPast(a.Last) })
	})...)
}

// isPast tells whether what ended then is left out.
func (h *History) isPast(end time.Time) bool { return end.Before(h.since) }

// eachKey computes something for each key on all processors, and returns it in
// the order of the keys.
func eachKey[T any](keys []keyHits, of func(keyHits) T) []T {
	out := make([]T, len(keys))
	const some = 64
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < len(keys); from += some {
		g.Go(func() error {
			for i := from; i < min(from+some, len(keys)); i++ {
				out[i] = of(keys[i])
			}
			return nil
		})
	}
	_ = g.Wait() // nothing fails
	return out
}
