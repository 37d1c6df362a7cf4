package detectors

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/bus/alert"
	"watchword/bus/event"
	"watchword/detectors/pattern"
)

func TestNearMisses(t *testing.T) {
	failures := `let failed = signin.outcome == "failure"; times(failed, 5) | by(user.uuid) | within("10m")`
	spraying := `let failed = signin.outcome == "failure"; distinct(failed, user.uuid, 4) | by(client.ip) | within("10m")`
	guessed := `let failed = signin.outcome == "failure"; let exported = item.action == "export"; sequence(times(failed, 2), exported) | by(user.uuid) | within("10m")`
	var s story
	at := func(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }
	failed := func(user string, seconds ...int) (all []event.Event) {
		for _, n := range seconds {
			all = append(all, s.failed("acme", user, "192.0.2.1", at(n)))
		}
		return all
	}
	for _, c := range []struct {
		name, rule string
		events     []event.Event
		want       []string
	}{
		{"nothing", failures, nil, nil},
		{"an alert is no near miss", failures, failed("ann", 0, 1, 2, 3, 4, 5, 6), nil},
		{"one short", failures, failed("ann", 0, 1, 2, 600), []string{"ann 4 of 5 failed, 4 events 0–600"}},
		{"two short", failures, failed("ann", 0, 1, 600), []string{"ann 3 of 5 failed, 3 events 0–600"}},
		{"three short", failures, failed("ann", 0, 600), nil},
		{"closed too early", failures, failed("ann", 0, 200, 400, 700, 741), []string{"ann 141 s late, 5 events 0–741"}},
		{"closed too early, the tightest", failures, failed("ann", 0, 200, 400, 700, 741, 820), []string{"ann 20 s late, 5 events 200–820"}},
		{"closed far too early", failures, failed("ann", 0, 200, 400, 700, 751), []string{"ann 4 of 5 failed, 4 events 200–751"}},
		{"beside an alert", failures, append(failed("ann", 0, 1, 2, 3, 4), failed("ann", 500, 600, 700)...), nil},
		{"far from an alert", failures, append(failed("ann", 0, 1, 2, 3, 4), failed("ann", 5000, 5001, 5002, 5003)...), []string{"ann 4 of 5 failed, 4 events 5000–5003"}},
		{"the nearest first", failures, append(failed("ann", 0, 1, 2), failed("bob", 0, 100, 200, 300)...), []string{"bob 4 of 5 failed, 4 events 0–300", "ann 3 of 5 failed, 3 events 0–2"}},
		{"values", spraying, slices.Concat(failed("ann", 0), failed("bob", 1), failed("eve", 2, 3)), []string{"192.0.2.1 3 of 4 failed, 4 events 0–3"}},
		{"a sequence", guessed, append(failed("ann", 0), s.export("acme", "ann", at(60))), []string{"ann 1 of 2 failed, 2 events 0–60"}},
		{"a sequence, late", guessed, append(failed("ann", 0, 1), s.export("acme", "ann", at(630))), []string{"ann 30 s late, 3 events 0–630"}},
		{"a bare step", `item.action == "export"`, []event.Event{s.export("acme", "ann", t0)}, nil},
		{"one of two is near nothing", `let failed = signin.outcome == "failure"; times(failed, 2) | by(user.uuid) | within("10m")`, failed("ann", 0), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := loadRules(t, map[string]string{"r": c.rule})
			var got []string
			for _, m := range backtest(t, set, c.events).NearMisses(set.Rule("r")) {
				got = append(got, missLine(&m))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("\n got %q\nwant %q", got, c.want)
			}
		})
	}
}

func missLine(m *NearMiss) string {
	what := fmt.Sprintf("%d of %d %s", m.Have, m.Want, m.Step)
	if m.Late > 0 {
		what = fmt.Sprintf("%.0f s late", m.Late.Seconds())
	}
	return fmt.Sprintf("%s %s, %d events %.0f–%.0f", m.Alert.Key[0], what, m.Alert.Count, m.Alert.First.Sub(t0).Seconds(), m.Alert.Last.Sub(t0).Seconds())
}

// Whatever the events: a near miss is no alert and touches none, it lists all
// its evidence, and with the number or the window it says, it would have been one.
func TestNearMissesAreNear(t *testing.T) {
	set := loadRules(t, testRules)
	rapid.Check(t, func(t *rapid.T) {
		h := backtest(t, set, drawEvents(t, 60))
		for _, r := range set.Rules() {
			alerts := h.Alerts(r)
			for _, m := range h.NearMisses(r) {
				if len(m.Alert.Evidence) != m.Alert.Count || m.Alert.Count == 0 {
					t.Fatalf("%s: %d events are listed of %d", r.ID, len(m.Alert.Evidence), m.Alert.Count)
				}
				if slices.ContainsFunc(alerts, func(a alert.Alert) bool {
					return a.Source == m.Alert.Source && slices.Equal(a.Key, m.Alert.Key) && spansTouch(a.First, a.Last, m.Alert.First, m.Alert.Last, r.Pattern.Quiet)
				}) {
					t.Fatalf("%s: the near miss %+v touches an alert", r.ID, m)
				}
				p := r.Pattern
				switch {
				case (m.Late > 0) == (m.Step != ""):
					t.Fatalf("%s: %+v says not what was missing", r.ID, m)
				case m.Late > 0:
					p.Within += m.Late
				default:
					p = numbersOf(&r.Pattern)[0].changed(m.Have).Pattern
				}
				var hits []pattern.Hit
				for _, k := range h.keys[r] {
					for _, hit := range k.hits {
						if slices.ContainsFunc(m.Alert.Evidence, func(e alert.Evidence) bool { return e.ID == hit.ID }) {
							hits = append(hits, hit)
						}
					}
				}
				if _, found := episodes(&p, hits); len(found) == 0 {
					t.Fatalf("%s: %+v is not as near as it says", r.ID, m)
				}
			}
		}
	})
}
