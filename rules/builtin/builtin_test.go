package builtin_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"watchword/bus/event"
	"watchword/detectors"
	"watchword/rules"
	"watchword/rules/builtin"
)

var folder = rules.Folder{Name: "builtin", FS: builtin.FS}

func load(t *testing.T) *rules.Set {
	t.Helper()
	set, problems := rules.Load(folder)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return set
}

// Every case beside a rule holds, in the order it is written and in others,
// and with events delivered twice.
func TestRules(t *testing.T) {
	set := load(t)
	for _, r := range set.Rules() {
		cases, problems := rules.LoadTests(folder, r.ID)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if len(cases) < 4 {
			t.Errorf("%s has %d cases; it needs one that fires, a near miss, a late delivery and its false positive", r.ID, len(cases))
		}
		for _, c := range cases {
			t.Run(r.ID+"/"+c.Name, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, uint64(c.Line)))
				events := slices.Clone(c.Events)
				for _, how := range []string{"as written", "shuffled and doubled"} {
					if got, want := alerts(t, set, r.ID, events), expected(c); got != want {
						t.Errorf("%s:%d, %s:\ngot  %s\nwant %s", r.File, c.Line, how, got, want)
					}
					events = append(events, events...)
					random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
				}
			})
		}
	}
}

// alerts are the rule's alerts over the events, each as "key: evidence".
func alerts(t *testing.T, set *rules.Set, rule string, events []event.Event) string {
	t.Helper()
	all, err := detectors.Evaluate(set, events)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range all {
		if a.Rule == rule {
			out = append(out, fmt.Sprintf("%s: %d", strings.Join(a.Key, ","), a.Count))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func expected(c rules.Case) string {
	var out []string
	for _, a := range c.Alerts {
		out = append(out, fmt.Sprintf("%s: %d", strings.Join(a.Key, ","), a.Evidence))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// Every step of every rule is matched by an event of its tests.
func TestEveryStepIsMatched(t *testing.T) {
	set := load(t)
	m := set.Matcher()
	for _, r := range set.Rules() {
		cases, problems := rules.LoadTests(folder, r.ID)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		var matched uint64
		for _, c := range cases {
			for i := range c.Events {
				f, err := c.Events[i].Fields()
				if err != nil {
					t.Fatal(err)
				}
				m.MatchRule(r, f, func(hit rules.Match) { matched |= hit.Steps })
			}
		}
		for i, s := range r.Pattern.Steps {
			if matched&(1<<i) == 0 {
				t.Errorf("%s: no test matches step %s", r.ID, s.Name)
			}
		}
	}
}
