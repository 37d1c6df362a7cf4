package rules

import (
	"slices"
	"testing"
	"testing/fstest"

	"watchword/bus/event"
)

func TestSubset(t *testing.T) {
	head := func(status string) string { return "---\ntitle: t\nseverity: low\nstatus: " + status + "\n---\n" }
	set, problems := Load(Folder{Name: "f", FS: fstest.MapFS{
		"a.expr": {Data: []byte(head("active") + `item.action == "export"`)},
		"b.expr": {Data: []byte(head("disabled") + `item.action == "export"`)},
		"c.expr": {Data: []byte(head("active") + `item.action == "reveal"`)},
	}})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	matched := func(s *Set, action string) (ids []string) {
		f := event.Fields{Kind: "item", Source: "acme", User: event.User{UUID: "ann"}, Item: event.Item{Action: action}}
		m := s.Matcher()
		m.Match(f, func(mt Match) { ids = append(ids, mt.Rule.ID) })
		for _, r := range s.Rules() {
			m.MatchRule(r, f, func(mt Match) { ids = append(ids, mt.Rule.ID) })
		}
		return ids
	}
	for _, c := range []struct {
		name            string
		set             *Set
		exports, reveal []string
	}{
		{"whole", set, []string{"a", "a"}, []string{"c", "c"}},
		{"enabled", set.Enabled(), []string{"a", "b", "a", "b"}, []string{"c", "c"}},
		{"last", set.Only(func(r *Rule) bool { return r.ID == "c" }), nil, []string{"c", "c"}},
		{"enabled, two", set.Enabled().Only(func(r *Rule) bool { return r.ID != "a" }), []string{"b", "b"}, []string{"c", "c"}},
		{"none", set.Only(func(*Rule) bool { return false }), nil, nil},
		{"the first is as it was", set, []string{"a", "a"}, []string{"c", "c"}},
	} {
		if got := matched(c.set, "export"); !slices.Equal(got, c.exports) {
			t.Errorf("%s: an export matches %v, want %v", c.name, got, c.exports)
		}
		if got := matched(c.set, "reveal"); !slices.Equal(got, c.reveal) {
			t.Errorf("%s: a reveal matches %v, want %v", c.name, got, c.reveal)
		}
	}
	if set.Rule("b").Status != Disabled || set.Enabled().Rule("b").Status != Staged {
		t.Error("the copy must be staged, and the first stay disabled")
	}
}
