package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"watchword/bus/alert"
	"watchword/bus/event"
	"watchword/detectors/pattern"
	"watchword/rules"
	"watchword/rules/builtin"
)

// Every built-in rule has tests beside it, and passes them in order, shuffled,
// doubled and in pieces.
func TestBuiltinRules(t *testing.T) {
	folder := rules.Folder{Name: "builtin", FS: builtin.FS}
	set, problems := rules.Load(folder)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if n := len(set.Rules()); n < 12 {
		t.Fatalf("%d built-in rules, want at least 12", n)
	}
	for _, rule := range set.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			cases, problems := rules.LoadTests(folder, rule.ID)
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			fires, near := false, false
			for _, c := range cases {
				fires, near = fires || len(c.Alerts) > 0, near || len(c.Alerts) == 0
				t.Run(c.Name, func(t *testing.T) { runCase(t, set, rule, c) })
			}
			if !fires || !near {
				t.Errorf("needs a test that fires and one that does not (fires %v, does not %v)", fires, near)
			}
		})
	}
}

func runCase(t *testing.T, set *rules.Set, rule *rules.Rule, c rules.Case) {
	all, err := Evaluate(set, c.Events)
	if err != nil {
		t.Fatal(err)
	}
	var got []alert.Alert
	for _, a := range all {
		if a.Rule == rule.ID {
			got = append(got, a)
		}
	}
	if len(got) != len(c.Alerts) {
		t.Fatalf("%d alerts, want %d: %+v", len(got), len(c.Alerts), got)
	}
	for _, want := range c.Alerts {
		i := slices.IndexFunc(got, func(a alert.Alert) bool {
			return slices.Equal(a.Key, want.Key) && (want.Evidence == 0 || a.Count == want.Evidence) &&
				(want.Source == "" || a.Source == want.Source) && (want.Status == "" || a.Status == want.Status)
		})
		if i < 0 {
			t.Fatalf("line %d: no alert for %v with %d events among %+v", want.Line, want.Key, want.Evidence, got)
		}
		got = slices.Delete(got, i, i+1)
	}
	calm := inPieces(t, set, rule, c.Events, 1<<30)
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 1))
		events := append(slices.Clone(c.Events), c.Events...) // each twice
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if other := inPieces(t, set, rule, events, 1+r.IntN(4)); fmt.Sprint(other) != fmt.Sprint(calm) {
			t.Fatalf("shuffled with seed %d:%s\nin order:%s", seed, lines(other), lines(calm))
		}
	}
}

// inPieces folds the events a few at a time and tells the final episodes.
func inPieces(t *testing.T, set *rules.Set, rule *rules.Rule, events []event.Event, n int) []string {
	t.Helper()
	m := set.Matcher()
	folds := map[rules.Key]*pattern.Fold{}
	for piece := range slices.Chunk(events, min(n, len(events)+1)) {
		hits := map[rules.Key][]pattern.Hit{}
		for i := range piece {
			f, err := piece[i].Fields()
			if err != nil {
				t.Fatal(err)
			}
			h := hitter{e: &piece[i], f: &f}
			m.MatchRule(rule, f, func(mt rules.Match) { hits[mt.Key] = append(hits[mt.Key], h.hit(mt)) })
		}
		for k, hs := range hits {
			if folds[k] == nil {
				folds[k] = pattern.New(&rule.Pattern, zeroTime, 1000)
			}
			if _, late := folds[k].Apply(hs); len(late) > 0 {
				t.Fatalf("%d hits called late by a fold that holds everything", len(late))
			}
		}
	}
	var out []string
	for k, f := range folds {
		for _, e := range f.Episodes() {
			a := compose(rule, k, &e)
			out = append(out, summary(&a))
		}
	}
	sort.Strings(out)
	return out
}
