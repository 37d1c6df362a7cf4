package detectors

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"watchword/bus/event"
	"watchword/rules"
)

// Each point of a curve is what the rule with that number would have given.
func TestCurves(t *testing.T) {
	texts := map[string]string{}
	for id, text := range testRules {
		texts[id] = text
	}
	texts["two-numbers"] = `let failed = signin.outcome == "failure"; let exported = item.action == "export"; sequence(times(failed, 3), times(exported, 2)) | by(user.uuid) | within("2h")`
	set := loadRules(t, texts)
	numbers := map[string][]string{ // each number of a rule, as it is written
		"failures": {"failed, %d"}, "guessed": {"failed, %d"}, "spraying": {"user.uuid, %d"}, "elsewhere": {"source, %d"},
		"two-numbers": {"failed, %d", "exported, %d"}, "export": nil, "leaving": nil,
	}
	own := map[string][]int{"failures": {3}, "guessed": {2}, "spraying": {2}, "elsewhere": {2}, "two-numbers": {3, 2}}
	others := map[string]*rules.Set{}
	for id, places := range numbers {
		for i, place := range places {
			for n := min(own[id][i], 2); n <= curveTo; n++ {
				text := strings.Replace(texts[id], fmt.Sprintf(place, own[id][i]), fmt.Sprintf(place, n), 1)
				others[fmt.Sprint(id, i, n)] = loadRules(t, map[string]string{id: text})
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t, 60)
		h := backtest(t, set, events)
		for _, r := range set.Rules() {
			curves := h.Curves(r)
			if len(curves) != len(numbers[r.ID]) {
				t.Fatalf("%s has %d curves, want %d", r.ID, len(curves), len(numbers[r.ID]))
			}
			for i, c := range curves {
				if c.N != own[r.ID][i] || len(c.Points) < curveTo-curveFrom+1 {
					t.Fatalf("%s: curve %+v", r.ID, c)
				}
				for _, p := range c.Points {
					if want := countAlerts(t, others[fmt.Sprint(r.ID, i, p.N)], events); p.Alerts != want {
						t.Fatalf("%s: %d alerts if n of %s were %d, want %d", r.ID, p.Alerts, c.Step, p.N, want)
					}
					if p.N == c.N && p.Alerts != len(h.Alerts(r)) {
						t.Fatalf("%s: %d alerts at its own n, which raises %d", r.ID, p.Alerts, len(h.Alerts(r)))
					}
				}
			}
		}
	})
}

func countAlerts(t *rapid.T, set *rules.Set, events []event.Event) int {
	alerts, err := Evaluate(set, events)
	if err != nil {
		t.Fatal(err)
	}
	return len(alerts)
}

func TestCurveNumbers(t *testing.T) {
	for n, want := range map[int]string{
		1: "1 2 3 4 5 6 7 8 9 10", 2: "2 3 4 5 6 7 8 9 10", 5: "3 4 5 6 7 8 9 10",
		10: "3 4 5 6 7 8 9 10 11", 12: "3 4 5 6 7 8 9 10 11 12 13", 20: "3 4 5 6 7 8 9 10 19 20 21",
	} {
		set := loadRules(t, map[string]string{"r": fmt.Sprintf(`let e = item.action == "export"; times(e, %d) | by(user.uuid) | within("1h")`, n)})
		var got []string
		for _, p := range backtest(t, set, nil).Curves(set.Rule("r"))[0].Points {
			got = append(got, fmt.Sprint(p.N))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("n = %d: points at %v, want %s", n, got, want)
		}
	}
}

// A sequence takes at most so many events, whatever a curve asks.
func TestCurveOfLongSequence(t *testing.T) {
	set := loadRules(t, map[string]string{"r": `let e = item.action == "export"; let s = audit.action == "suspend"; sequence(times(e, 60), times(s, 4)) | by(user.uuid) | within("1h")`})
	for _, c := range backtest(t, set, nil).Curves(set.Rule("r")) {
		for _, p := range c.Points {
			if c.N == 60 && p.N > 60 || c.N == 4 && p.N > 4 {
				t.Errorf("a point at %d for %s", p.N, c.Step)
			}
		}
	}
}
