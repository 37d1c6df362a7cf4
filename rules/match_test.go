package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"watchword/bus/event"
)

const head = "---\ntitle: T\nseverity: low\n---\n"

// load loads rules from their bodies, by id.
func load(t testing.TB, bodies map[string]string) *Set {
	t.Helper()
	files := fstest.MapFS{
		"lists/known.txt":   {Data: []byte("alice\nRoot@Example.test\n192.0.2.1\n10.0.0.0/8 # office\n2001:db8::/32\n")},
		"lists/nothing.txt": {Data: []byte("# nobody\n")},
	}
	for id, body := range bodies {
		files[id+".expr"] = &fstest.MapFile{Data: []byte(head + body)}
	}
	set, problems := Load(Folder{FS: files})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return set
}

// told is what a matcher says of an event, a line for each match.
func told(m *Matcher, f event.Fields) []string {
	var out []string
	m.Match(f, func(hit Match) {
		source, parts := hit.Key.Split()
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s[%s] %b %s", hit.Rule.ID, source, strings.Join(parts, " "), hit.Steps, hit.Value)))
	})
	return out
}

func signin(user, category string) event.Fields {
	f := event.Fields{ID: "s", Kind: "signin", Source: "acme", Time: time.Unix(0, 0).UTC()}
	f.User = event.User{UUID: user, Email: user + "@example.test"}
	f.Signin = event.Signin{Category: category, Outcome: event.OutcomeFailure}
	if category == "success" {
		f.Signin.Outcome = event.OutcomeSuccess
	}
	return f
}

func item(user, action string) event.Fields {
	return event.Fields{ID: "i", Kind: "item", Source: "acme", User: event.User{UUID: user}, Item: event.Item{Action: action, VaultUUID: "v"}}
}

func TestMatch(t *testing.T) {
	const failed = `let failed = signin.outcome == "failure"; `
	withIP := func(f event.Fields, ip string) event.Fields { f.Client.IP = ip; return f }
	at := func(f event.Fields, lat, lon float64) event.Fields {
		f.Location = event.Location{Latitude: lat, Longitude: lon, Known: true}
		return f
	}
	const travelled = `signin.outcome == "success" | travel(900) | by(user.uuid) | within("24h")`
	noUser := item("", "export")
	suspend := event.Fields{Kind: "audit", Source: "acme", User: event.User{UUID: "admin"}, Audit: event.Audit{Action: "suspend", ObjectUUID: "bob", AuxID: 7}}
	for _, c := range []struct {
		name, body string
		event      event.Fields
		want       []string
	}{
		{"bare", `item.action == "export"`, item("bob", "export"), []string{"r acme[bob] 1"}},
		{"bare, other value", `item.action == "export"`, item("bob", "fill"), nil},
		{"bare without user", `item.action == "export"`, noUser, []string{"r acme[acme] 1"}},
		{"bare with by, without user", `item.action == "export" | by(user.uuid)`, noUser, nil},
		{"another kind is never matched", `item.action != "fill"`, signin("bob", "success"), nil},
		{"a step about every kind", `user.uuid == "bob"`, signin("bob", "success"), []string{"r acme[bob] 1"}},
		{"kind said", `kind == "item" && user.uuid == "bob"`, item("bob", "fill"), []string{"r acme[bob] 1"}},
		{"kind said, another", `kind == "item" && user.uuid == "bob"`, signin("bob", "success"), nil},
		{"kind said under or makes the step about it", `kind == "item" || user.uuid == "bob"`, signin("bob", "success"), nil},
		{"times", failed + `times(failed, 5) | by(user.uuid) | within("1h")`, signin("bob", "sso_failed"), []string{"r acme[bob] 1"}},
		{"by alone", failed + `times(failed, 5) | by() | within("1h")`, signin("bob", "sso_failed"), []string{"r acme[] 1"}},
		{"two key fields", failed + `times(failed, 5) | by(user.uuid, client.ip) | within("1h")`, withIP(signin("bob", "sso_failed"), "192.0.2.1"), []string{"r acme[bob 192.0.2.1] 1"}},
		{"an empty key field", failed + `times(failed, 5) | by(user.uuid, client.ip) | within("1h")`, signin("bob", "sso_failed"), nil},
		{"across", failed + `times(failed, 5) | by(user.uuid) | across() | within("1h")`, signin("bob", "sso_failed"), []string{"r [bob] 1"}},
		{"distinct", failed + `distinct(failed, user.email, 5) | by(source) | within("1h")`, signin("bob", "sso_failed"), []string{"r acme[acme] 1 bob@example.test"}},
		{"distinct, empty value", failed + `distinct(failed, client.ip, 5) | by(source) | within("1h")`, signin("bob", "sso_failed"), nil},
		{"distinct of numbers", `distinct(audit.action == "suspend", audit.aux_id, 5) | by(source) | within("1h")`, suspend, []string{"r acme[acme] 1 7"}},
		{"travel", travelled, at(signin("bob", "success"), 52.52, 13.4), []string{"r acme[bob] 1 52.52,13.4"}},
		{"travel, the sea off Africa", travelled, at(signin("bob", "success"), 0, 0), []string{"r acme[bob] 1 0,0"}},
		{"travel, minus nought is nought", travelled, at(signin("bob", "success"), math.Copysign(0, -1), math.Copysign(0, -1)), []string{"r acme[bob] 1 0,0"}},
		{"travel without coordinates", travelled, signin("bob", "success"), nil},
		{"travel with coordinates of nowhere", travelled, at(signin("bob", "success"), 91, 0), nil},
		{"travel, another outcome", travelled, at(signin("bob", "sso_failed"), 52.52, 13.4), nil},
		{"together", `together(item.action == "export", item.action == "fill") | by(user.uuid) | within("1h")`, item("bob", "fill"), []string{"r acme[bob] 10"}},
		{"together, both steps, two keys", `together(user.uuid == "admin" | by(user.uuid), audit.action == "suspend" | by(audit.object_uuid)) | within("1h")`, suspend, []string{"r acme[admin] 1", "r acme[bob] 10"}},
		{"both steps, one key", `sequence(item.action == "export", item.vault_uuid == "v") | by(user.uuid) | within("1h")`, item("bob", "export"), []string{"r acme[bob] 11"}},
		{"both steps, two keys", `sequence(user.uuid == "admin" | by(user.uuid), audit.action == "suspend" | by(audit.object_uuid)) | within("1h")`, suspend, []string{"r acme[admin] 1", "r acme[bob] 10"}},
		{"the second step", `sequence(times(signin.outcome == "failure", 3), item.action == "export") | by(user.uuid) | within("1h")`, item("bob", "export"), []string{"r acme[bob] 10"}},
		{"a let of a let", `let a = signin.outcome == "failure"; let b = a && user.uuid == "bob"; let c = b; times(c && !user.service, 2) | by(user.uuid) | within("1h")`, signin("bob", "sso_failed"), []string{"r acme[bob] 1"}},
		{"in list", `user.uuid in list("known")`, item("alice", "fill"), []string{"r acme[alice] 1"}},
		{"not in list", `user.uuid not in list("known")`, item("alice", "fill"), nil},
		{"not in an empty list", `user.uuid not in list("nothing")`, item("alice", "fill"), []string{"r acme[alice] 1"}},
		{"e-mail in list, other case", `user.email in list("known")`, signin("rOOT", "success"), []string{"r acme[rOOT] 1"}},
		{"address in list", `client.ip in list("known")`, withIP(signin("bob", "success"), "10.1.2.3"), []string{"r acme[bob] 1"}},
		{"IPv6 address in list", `client.ip in list("known")`, withIP(signin("bob", "success"), "2001:DB8:0::1"), []string{"r acme[bob] 1"}},
		{"address not in list", `client.ip in list("known")`, withIP(signin("bob", "success"), "11.1.2.3"), nil},
		{"cidr", `cidr(client.ip, "10.0.0.0/8")`, withIP(signin("bob", "success"), "::ffff:10.9.9.9"), []string{"r acme[bob] 1"}},
		{"cidr of no address", `cidr(client.ip, "10.0.0.0/8")`, withIP(signin("bob", "success"), "unknown"), nil},
		{"domain", `domain(user.email) == "example.test"`, signin("bob", "success"), []string{"r acme[bob] 1"}},
		{"no distance without coordinates", `distance_km(location, location) < 1 || distance_km(location, location) >= 1`, signin("bob", "success"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := load(t, map[string]string{"r": c.body})
			m := set.Matcher()
			if got := told(m, c.event); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var alone []string
			m.MatchRule(set.Rule("r"), c.event, func(Match) { alone = append(alone, "") })
			if len(alone) != len(c.want) {
				t.Errorf("MatchRule gives %d matches, Match %d", len(alone), len(c.want))
			}
		})
	}
}

func TestMatchTellsRulesInOrder(t *testing.T) {
	set := load(t, map[string]string{
		"c": `user.uuid == "bob"`, "a": `item.action == "export"`, "b": `item.vault_uuid == "v"`, "d": `item.action in ["fill", "export", "export"]`,
	})
	want := []string{"a acme[bob] 1", "b acme[bob] 1", "c acme[bob] 1", "d acme[bob] 1"}
	if got := told(set.Matcher(), item("bob", "export")); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A rule that fails is counted and matches nothing; the others go on.
func TestFailureIsIsolated(t *testing.T) {
	set := load(t, map[string]string{
		"bad":   `sequence(user.uuid == "bob", split(user.name, ",")[3] == "x") | by(user.uuid) | within("1h")`,
		"good":  `user.uuid == "bob"`,
		"other": `item.action == "export" | by(client.ip)`,
	})
	m := set.Matcher()
	for range 3 {
		if got, want := told(m, item("bob", "export")), []string{"good acme[bob] 1"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	stats := m.Stats()
	if s := stats[0]; s.Rule != "bad" || s.Failed != 3 || s.Matched != 0 || !strings.Contains(s.LastError, "out of range") {
		t.Errorf("bad: %+v", s)
	}
	if s := stats[1]; s.Rule != "good" || s.Failed != 0 || s.Matched != 3 {
		t.Errorf("good: %+v", s)
	}
	if s := stats[2]; s.Rule != "other" || s.Keyless != 3 || s.Matched != 0 {
		t.Errorf("other: %+v", s)
	}
	m.MatchRule(set.Rule("good"), item("bob", "export"), func(Match) {})
	if s := m.Stats()[1]; s.Matched != 3 {
		t.Errorf("MatchRule counts: %+v", s)
	}
}

func TestDisabledRulesNeverMatch(t *testing.T) {
	files := fstest.MapFS{
		"off.expr":    {Data: []byte("---\ntitle: T\nseverity: low\nstatus: disabled\n---\nuser.uuid == \"bob\" | within(\"100d\")")},
		"staged.expr": {Data: []byte("---\ntitle: T\nseverity: low\nstatus: staged\nquiet: 2h\n---\nuser.uuid == \"bob\" | within(\"1d\")")},
	}
	set, problems := Load(Folder{FS: files})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := set.Matcher()
	if got, want := told(m, item("bob", "fill")), []string{"staged acme[bob] 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	m.MatchRule(set.Rule("off"), item("bob", "fill"), func(Match) { t.Error("a disabled rule matches") })
	if got := set.Reach(); got != 26*time.Hour {
		t.Errorf("reach %v, want that of the staged rule, 26h", got)
	}
	if len(set.Rules()) != 2 || set.Rule("off") == nil || set.Rule("none") != nil {
		t.Error("the disabled rule is part of the set")
	}
}

// A set is shared by goroutines, each with a matcher of its own.
func TestSetIsShared(t *testing.T) {
	set := load(t, map[string]string{
		"a": `let odd = user.email in list("known") || user.email matches "^b.b@"; times(odd, 2) | by(user.uuid) | within("1h")`,
		"b": `any(split(user.email, "@"), # == "bob") && cidr(client.ip, "10.0.0.0/8")`,
	})
	f := signin("bob", "success")
	f.Client.IP = "10.0.0.1"
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			m := set.Matcher()
			for range 200 {
				if got := told(m, f); len(got) != 2 {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	wg.Wait()
}
