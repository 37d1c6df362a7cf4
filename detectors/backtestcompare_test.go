package detectors

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"watchword/bus/alert"
)

func TestCompare(t *testing.T) {
	of := func(key string, ids ...string) alert.Alert {
		a := alert.Alert{Rule: "r", Source: "acme", Key: []string{key}, Count: len(ids)}
		for _, id := range ids {
			a.Evidence = append(a.Evidence, alert.Evidence{ID: id})
		}
		return a
	}
	other := of("ann", "1")
	other.Rule = "other"
	elsewhere := of("ann", "1")
	elsewhere.Source = "beta"
	for _, c := range []struct {
		name     string
		old, new []alert.Alert
		want     string
	}{
		{"nothing", nil, nil, "same 0"},
		{"the same", []alert.Alert{of("ann", "1", "2")}, []alert.Alert{of("ann", "1", "2")}, "same 1"},
		{"gained", nil, []alert.Alert{of("ann", "1")}, "gained ann; same 0"},
		{"lost", []alert.Alert{of("ann", "1")}, nil, "lost ann; same 0"},
		{"another key", []alert.Alert{of("ann", "1")}, []alert.Alert{of("bob", "1")}, "gained bob; lost ann; same 0"},
		{"another rule", []alert.Alert{other}, []alert.Alert{of("ann", "1")}, "gained ann; lost ann; same 0"},
		{"another source", []alert.Alert{elsewhere}, []alert.Alert{of("ann", "1")}, "gained ann; lost ann; same 0"},
		{"another time", []alert.Alert{of("ann", "1")}, []alert.Alert{of("ann", "2")}, "gained ann; lost ann; same 0"},
		{"grown", []alert.Alert{of("ann", "1")}, []alert.Alert{of("ann", "1", "2")}, "changed 1→2; same 0"},
		{"shrunk", []alert.Alert{of("ann", "1", "2")}, []alert.Alert{of("ann", "2")}, "changed 2→1; same 0"},
		{"joined", []alert.Alert{of("ann", "1"), of("ann", "3")}, []alert.Alert{of("ann", "1", "2", "3")}, "changed 1+1→3; same 0"},
		{"joined of nothing new", []alert.Alert{of("ann", "1"), of("ann", "2")}, []alert.Alert{of("ann", "1", "2")}, "changed 1+1→2; same 0"},
		{"split", []alert.Alert{of("ann", "1", "2", "3")}, []alert.Alert{of("ann", "1"), of("ann", "3")}, "changed 3→1; changed 3→1; same 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Compare(c.old, c.new)
			var parts []string
			for _, a := range got.Gained {
				parts = append(parts, "gained "+a.Key[0])
			}
			for _, a := range got.Lost {
				parts = append(parts, "lost "+a.Key[0])
			}
			for _, ch := range got.Changed {
				var olds []string
				for _, o := range ch.Old {
					olds = append(olds, fmt.Sprint(o.Count))
				}
				parts = append(parts, fmt.Sprintf("changed %s→%d", strings.Join(olds, "+"), ch.New.Count))
			}
			parts = append(parts, fmt.Sprint("same ", got.Same))
			if s := strings.Join(parts, "; "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
			if slices.ContainsFunc(got.Changed, func(c Changed) bool { return len(c.Old) == 0 }) {
				t.Error("changed from nothing")
			}
		})
	}
}
