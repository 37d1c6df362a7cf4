package rules

import (
	"fmt"
	"testing"

	"watchword/bus/event"
)

// BenchmarkMatch is the cost of one event by the number of rules: 60 % about
// audit events, 20 % sign-ins, 15 % item usages, 5 % without an equality to
// find them by. Expected: some 300 ns and one allocation to box the event,
// where any rule may match it, and 100 to 200 ns for each predicate that is
// run. The index leaves all but the 5 % and one value's share of the others,
// so 1,000 rules run some 60 predicates: about 10 µs. Each match allocates its key.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			bodies := map[string]string{}
			for i := range n {
				bodies[fmt.Sprintf("r%04d", i)] = benchRule(i)
			}
			m := load(b, bodies).Matcher()
			events := benchEvents()
			matches := 0
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				m.Match(events[i%len(events)], func(Match) { matches++ })
			}
			b.ReportMetric(float64(matches)/float64(b.N), "matches/op")
		})
	}
}

func benchRule(i int) string {
	switch actions := known["audit.action"]; {
	case i%20 == 0:
		return fmt.Sprintf(`let odd = user.email endsWith "@%d.example" && !user.service; times(odd, 5) | by(user.uuid) | within("1h")`, i)
	case i%20 < 4:
		return fmt.Sprintf(`let failed = signin.category == %q && location.country != "X%d"; times(failed, 5) | by(user.uuid) | within("1h")`,
			known["signin.category"][i%7], i)
	case i%20 < 7:
		return fmt.Sprintf(`let used = item.action == %q && item.vault_uuid == "v%d"; times(used, 5) | by(user.uuid) | within("1h")`,
			known["item.action"][i%11], i)
	default:
		return fmt.Sprintf(`let done = audit.action == %q && audit.object_type in ["user", "t%d"]; times(done, 5) | by(user.uuid) | within("1h")`,
			actions[i%len(actions)], i)
	}
}

func benchEvents() []event.Fields {
	var out []event.Fields
	for i := range 100 {
		f := event.Fields{ID: fmt.Sprint(i), Source: "acme", User: event.User{UUID: fmt.Sprint("u", i%10), Email: "someone@example.test"}}
		switch {
		case i%10 < 5:
			f.Kind, f.Item = "item", event.Item{Action: known["item.action"][i%11], VaultUUID: fmt.Sprint("v", i)}
		case i%10 < 8:
			f.Kind, f.Signin = "signin", event.Signin{Category: known["signin.category"][i%7], Outcome: event.OutcomeFailure}
		default:
			actions := known["audit.action"]
			f.Kind, f.Audit = "audit", event.Audit{Action: actions[i%len(actions)], ObjectType: "user", ObjectUUID: "bob"}
		}
		out = append(out, f)
	}
	return out
}

// BenchmarkLoad is the cost of loading a set, per rule.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load(b, map[string]string{"r": benchRule(1)})
	}
}
