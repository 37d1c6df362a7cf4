package detectors

import (
	"testing"
	"time"
	"unique"

	"watchword/bus/alert"
	"watchword/detectors/pattern"
	"watchword/rules"
)

func TestReconcile(t *testing.T) {
	rule := loadRules(t, map[string]string{"failures": testRules["failures"]}).Rule("failures")
	k := foldKey{rule, rules.NewKey("acme", "mallory")}
	at := func(m int) time.Time { return t0.Add(time.Duration(m) * time.Minute) }
	episode := func(first, last, count int) pattern.Episode {
		return pattern.Episode{First: at(first), Last: at(last), Count: count, Steps: []int{count}, Completed: pattern.Ref{Time: at(last), ID: "e"}}
	}
	pub := func(id string, order uint64, first, last, count int, status alert.Status) *published {
		return &published{id: id, order: order, revision: 1, first: at(first), last: at(last), count: count, steps: []int{count}, status: status}
	}
	type want struct {
		id     string
		status alert.Status
		rev    int
		into   string
	}
	opened := alert.ID("failures", rule.Version, string(k.key), "e")
	for _, c := range []struct {
		name    string
		known   []*published
		changed []pattern.Episode
		want    []want
	}{
		{"a new episode opens an alert", nil, []pattern.Episode{episode(0, 5, 3)}, []want{{opened, alert.Opened, 1, ""}}},
		{"the same again is no news", []*published{pub("a", 1, 0, 5, 3, alert.Opened)}, []pattern.Episode{episode(0, 5, 3)}, nil},
		{"one more event updates", []*published{pub("a", 1, 0, 5, 3, alert.Opened)}, []pattern.Episode{episode(0, 6, 4)}, []want{{"a", alert.Updated, 2, ""}}},
		{"a second episode is an alert of its own", []*published{pub("a", 1, 0, 5, 3, alert.Opened)}, []pattern.Episode{episode(200, 205, 3)}, []want{{opened, alert.Opened, 1, ""}}},
		{"joined episodes go on as the one published first",
			[]*published{pub("later", 9, 0, 5, 3, alert.Opened), pub("sooner", 4, 100, 105, 3, alert.Updated)},
			[]pattern.Episode{episode(0, 105, 7)}, []want{{"sooner", alert.Updated, 2, ""}, {"later", alert.Merged, 2, "sooner"}}},
		{"less than was told is no news", []*published{pub("a", 1, 0, 105, 7, alert.Opened)}, []pattern.Episode{episode(0, 5, 3)}, nil},
		{"two parts of what was told are no news", []*published{pub("a", 1, 0, 105, 7, alert.Opened)}, []pattern.Episode{episode(0, 5, 3), episode(100, 105, 3)}, nil},
		{"one alert is never given to two episodes", []*published{pub("a", 1, 0, 105, 7, alert.Opened)}, []pattern.Episode{episode(0, 106, 8), episode(104, 107, 3)}, []want{{"a", alert.Updated, 2, ""}}},
		{"what was merged is left alone",
			[]*published{pub("a", 1, 0, 105, 7, alert.Updated), pub("b", 2, 100, 105, 3, alert.Merged)},
			[]pattern.Episode{episode(0, 106, 8)}, []want{{"a", alert.Updated, 2, ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := reconcile(k, c.known, c.changed)
			if len(got) != len(c.want) {
				t.Fatalf("%d revisions, want %d: %+v", len(got), len(c.want), got)
			}
			for i, w := range c.want {
				if a := got[i]; a.ID != w.id || a.Status != w.status || a.Revision != w.rev || a.MergedInto != w.into {
					t.Errorf("revision %d: %s %s %d into %q, want %+v", i, a.ID, a.Status, a.Revision, a.MergedInto, w)
				}
			}
		})
	}
}

// Steps of one name are told apart when an alert is read back.
func TestStepsReadBack(t *testing.T) {
	rule := loadRules(t, map[string]string{"r": `let failed = signin.outcome == "failure"; let exported = item.action == "export"; sequence(failed, exported, failed) | by(user.uuid) | within("1h")`}).Rule("r")
	for bits := uint64(1); bits < 8; bits++ {
		e := pattern.Episode{Steps: []int{1, 1, 1}, Evidence: []pattern.Evidence{{ID: "e", Steps: bits, Person: nobody, Place: nowhere}}}
		a := compose(rule, rules.NewKey("acme", "mallory"), &e)
		if back := episodeOf(&rule.Pattern, &a); back.Evidence[0].Steps != bits {
			t.Errorf("steps %b are read back as %b", bits, back.Evidence[0].Steps)
		}
	}
}

// An update names the people of evidence that the fold no longer holds.
func TestUpdateForgetsNobody(t *testing.T) {
	rule := loadRules(t, map[string]string{"failures": testRules["failures"]}).Rule("failures")
	k := foldKey{rule, rules.NewKey("acme", "mallory")}
	known := &published{
		id: "a", revision: 1, first: t0, last: t0, count: 3, steps: []int{3}, status: alert.Opened,
		people: []alert.Person{{UUID: "ann"}, {UUID: "bob"}}, places: []alert.Place{{IP: "192.0.2.1"}},
	}
	e := pattern.Episode{First: t0, Last: t0.Add(time.Minute), Count: 4, Steps: []int{4}, Evidence: []pattern.Evidence{
		{ID: "new", Steps: 1, Person: unique.Make(alert.Person{UUID: "bob"}), Place: nowhere},
	}}
	a := reconcile(k, []*published{known}, []pattern.Episode{e})[0]
	if len(a.People) != 2 || a.People[0].UUID != "bob" || a.People[1].UUID != "ann" || len(a.Places) != 1 {
		t.Errorf("people %v, places %v", a.People, a.Places)
	}
}
