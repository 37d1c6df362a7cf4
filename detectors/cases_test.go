package detectors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/bus/alert"
	"watchword/bus/event"
	"watchword/rules"
)

func TestRunCase(t *testing.T) {
	set := loadRules(t, testRules)
	failed := `{signin: {category: credentials_failed}, user: %s, repeat: %d, every: 1m, at: %s}`
	one := func(user string, n int, at string) string { return fmt.Sprintf(failed, user, n, at) }
	for _, c := range []struct {
		name, rule   string
		events       []string
		alerts, want string
	}{
		{"as expected", "failures", []string{one("ann", 3, "0s")}, "[{key: ann, evidence: 3, status: opened, source: test}]", ""},
		{"nothing is expected", "failures", []string{one("ann", 2, "0s")}, "[]", ""},
		{"none came", "failures", []string{one("ann", 2, "0s")}, "[{key: ann}]", "in order: missing [ann]"},
		{"one too many came", "failures", []string{one("ann", 3, "0s")}, "[]", "in order: unexpected [ann]"},
		{"another count", "failures", []string{one("ann", 4, "0s")}, "[{key: ann, evidence: 3}]", "in order: missing [ann], unexpected [ann]"},
		{"another source", "failures", []string{one("ann", 3, "0s")}, "[{key: ann, source: acme}]", "in order: missing [ann], unexpected [ann]"},
		{"another key", "failures", []string{one("ann", 3, "0s")}, "[{key: bob}]", "in order: missing [bob], unexpected [ann]"},
		{"the vaguer is told first", "failures", []string{one("ann", 3, "0s"), one("ann", 4, "1d")}, "[{key: ann}, {key: ann, evidence: 3}]", ""},
		{"as often as it is expected", "failures", []string{one("ann", 3, "0s")}, "[{key: ann}, {key: ann}]", "in order: missing [ann]"},
		{"another rule's alert is no matter", "export", []string{one("ann", 3, "0s")}, "[]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cases, problems := rules.ParseTests("t", []byte("- name: x\n  events: ["+strings.Join(c.events, ", ")+"]\n  alerts: "+c.alerts+"\n"))
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			var got []string
			for _, f := range RunCase(set, set.Rule(c.rule), cases[0]).Failures {
				got = append(got, failureLine(&f))
			}
			if s := strings.Join(got, "; "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

func failureLine(f *CaseFailure) string {
	var parts []string
	add := func(what string, keys ...[]string) {
		if len(keys) > 0 {
			parts = append(parts, fmt.Sprint(what, " ", keys[0]))
		}
	}
	for _, m := range f.Missing {
		add("missing", m.Key)
	}
	for _, a := range f.Lost {
		add("lost", a.Key)
	}
	for _, a := range f.Unexpected {
		add("unexpected", a.Key)
	}
	if f.Err != nil {
		parts = append(parts, f.Err.Error())
	}
	return f.Delivery + ": " + strings.Join(parts, ", ")
}

func TestRunCaseTellsSteps(t *testing.T) {
	set := loadRules(t, testRules)
	var s story
	for _, c := range []struct {
		name   string
		events []event.Event
		want   uint64
	}{
		{"none", nil, 0},
		{"first", []event.Event{s.failed("acme", "ann", "192.0.2.1", t0)}, 1},
		{"second", []event.Event{s.export("acme", "ann", t0)}, 2},
		{"both", []event.Event{s.failed("acme", "ann", "192.0.2.1", t0), s.export("acme", "bob", t0)}, 3},
	} {
		if got := RunCase(set, set.Rule("guessed"), rules.Case{Events: c.events}).Steps; got != c.want {
			t.Errorf("%s: steps %b, want %b", c.name, got, c.want)
		}
	}
}

func TestRunCaseOfUnreadableEvents(t *testing.T) {
	set := loadRules(t, testRules)
	bad := event.Event{ID: "x", Kind: event.KindItem, Source: "acme", Time: t0, Raw: []byte("[]")}
	got := RunCase(set, set.Rule("export"), rules.Case{Events: []event.Event{bad}})
	if len(got.Failures) != 1 || got.Failures[0].Err == nil {
		t.Errorf("want one failure with its error, got %+v", got)
	}
}

// Every delivery of any events ends with the alerts of all of them at once; so
// a difference is one of the rule or the engine, not of the runner.
func TestDeliveriesAgree(t *testing.T) {
	set := loadRules(t, wordRules())
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t, 40)
		all, err := Evaluate(set, events)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range set.Rules() {
			var calm []alert.Alert
			for _, a := range all {
				if a.Rule == rule.ID {
					calm = append(calm, a)
				}
			}
			d := newDeliveries(set, rule, events)
			for _, how := range d.all() {
				lost, unexpected := difference(calm, d.run(how))
				if len(lost)+len(unexpected) > 0 {
					t.Fatalf("%s, %s\nlost       %+v\nunexpected %+v", rule.ID, how.name, lost, unexpected)
				}
			}
		}
	})
}

// A delivery that loses an event is found out.
func TestDeliveriesAreCompared(t *testing.T) {
	set := loadRules(t, testRules)
	var s story
	var events []event.Event
	for i := range 5 {
		events = append(events, s.failed("acme", "ann", "192.0.2.1", t0.Add(time.Duration(i)*time.Minute)))
	}
	all, err := Evaluate(set, events)
	if err != nil {
		t.Fatal(err)
	}
	var calm []alert.Alert
	for _, a := range all {
		if a.Rule == "failures" {
			calm = append(calm, a)
		}
	}
	d := newDeliveries(set, set.Rule("failures"), events)
	d.events = d.events[1:]
	for _, how := range d.all() {
		lost, unexpected := difference(calm, d.run(how))
		if len(lost) != 1 || len(unexpected) != 1 {
			t.Errorf("%s: lost %v, unexpected %v", how.name, lost, unexpected)
		}
	}
	// Nor does what is there twice count for two.
	if lost, unexpected := difference(calm, append(calm, calm...)); len(lost) != 0 || len(unexpected) != 1 {
		t.Errorf("lost %v, unexpected %v", lost, unexpected)
	}
}
