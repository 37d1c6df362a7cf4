package simulator

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"watchword/bus/event"
)

// The ground truth is held against a slow and plain reading of the built-in
// rules, written from their texts and sharing nothing with the engine.

// plainRule is one rule: which events it is about, under which key, and which
// sets of them belong together. hits are sorted by time, then uuid.
type plainRule struct {
	id       string
	window   time.Duration
	across   bool
	step     func(event.Fields) (step int, key []string, value string) // step 0: none
	clusters func(hits []plainHit, window time.Duration) [][]plainHit
}

type plainHit struct {
	at      time.Time
	uuid    string
	account string
	step    int
	value   string
}

// counted: each hit with those in the window before it, if enough values are among them.
func counted(n int, distinct bool) func([]plainHit, time.Duration) [][]plainHit {
	return func(hits []plainHit, window time.Duration) [][]plainHit {
		var out [][]plainHit
		for i := range hits {
			from := i
			for from > 0 && hits[i].at.Sub(hits[from-1].at) <= window {
				from--
			}
			values := map[string]bool{}
			for _, h := range hits[from : i+1] {
				if distinct {
					values[h.value] = true
				} else {
					values[h.uuid] = true
				}
			}
			if len(values) >= n {
				out = append(out, hits[from:i+1])
			}
		}
		return out
	}
}

// followed: each second step with the first steps in the window before it.
func followed(n int) func([]plainHit, time.Duration) [][]plainHit {
	return func(hits []plainHit, window time.Duration) [][]plainHit {
		var out [][]plainHit
		for i, last := range hits {
			if last.step != 2 {
				continue
			}
			var set []plainHit
			for _, h := range hits[:i] {
				if h.step == 1 && last.at.Sub(h.at) <= window {
					set = append(set, h)
				}
			}
			if len(set) >= n {
				out = append(out, append(set, last))
			}
		}
		return out
	}
}

// both: each first step with each second step in the window around it.
func both(hits []plainHit, window time.Duration) [][]plainHit {
	var out [][]plainHit
	for i, a := range hits {
		for _, b := range hits[i:] {
			if a.step != b.step && b.at.Sub(a.at) <= window {
				out = append(out, []plainHit{a, b})
			}
		}
	}
	return out
}

// journeys: each two hits in the window, over 100 km apart, that would have
// taken more than the speed.
func journeys(kmPerHour float64) func([]plainHit, time.Duration) [][]plainHit {
	return func(hits []plainHit, window time.Duration) [][]plainHit {
		var out [][]plainHit
		for i, a := range hits {
			for _, b := range hits[i+1:] {
				took := b.at.Sub(a.at)
				if took > window {
					break
				}
				if km := distance(a.value, b.value); km > 100 && km > kmPerHour*took.Hours() {
					out = append(out, []plainHit{a, b})
				}
			}
		}
		return out
	}
}

// distance is by the angle between the two places as seen from the middle of
// the earth, in km.
func distance(a, b string) float64 {
	unit := func(s string) (v [3]float64) {
		var lat, lon float64
		_, _ = fmt.Sscan(s, &lat, &lon)
		lat, lon = lat*math.Pi/180, lon*math.Pi/180
		return [3]float64{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
	}
	u, v := unit(a), unit(b)
	return 6371.0088 * math.Acos(max(-1, min(1, u[0]*v[0]+u[1]*v[1]+u[2]*v[2])))
}

func plainRules() []plainRule {
	failed := func(f event.Fields) bool { return f.Kind == "signin" && f.Signin.Outcome == "failure" }
	in := func(f event.Fields) bool { return f.Kind == "signin" && f.Signin.Outcome == "success" }
	exported := func(f event.Fields) bool { return f.Kind == "item" && f.Item.Action == "export" }
	audit := func(action, object string) func(event.Fields) bool {
		return func(f event.Fields) bool {
			return f.Kind == "audit" && f.Audit.Action == action && f.Audit.ObjectType == object
		}
	}
	user := func(f event.Fields) []string { return []string{f.User.UUID} }
	one := func(is func(event.Fields) bool, key func(event.Fields) []string, value func(event.Fields) string) func(event.Fields) (int, []string, string) {
		return func(f event.Fields) (int, []string, string) {
			if !is(f) {
				return 0, nil, ""
			}
			if v := value(f); v != "" {
				return 1, key(f), v
			}
			return 0, nil, ""
		}
	}
	two := func(a, b func(event.Fields) bool, keyA, keyB func(event.Fields) []string) func(event.Fields) (int, []string, string) {
		return func(f event.Fields) (int, []string, string) {
			switch {
			case a(f):
				return 1, keyA(f), ""
			case b(f):
				return 2, keyB(f), ""
			}
			return 0, nil, ""
		}
	}
	id := func(f event.Fields) string { return f.ID }
	ip := func(f event.Fields) []string { return []string{f.Client.IP} }
	return []plainRule{
		{"export-after-failed-signins", 30 * time.Minute, false, two(failed, exported, user, user), followed(5)},
		{"export-before-suspension", 14 * day, false, two(exported, audit("suspend", "user"), user,
			func(f event.Fields) []string { return []string{f.Audit.ObjectUUID} }), followed(1)},
		{"firewall-rules-changed", time.Hour, false, one(audit("updatfw", "account"), user, id), counted(1, false)},
		{"many-failed-signins", 15 * time.Minute, false, one(failed, user, id), counted(10, false)},
		{"mass-item-export", 10 * time.Minute, false, one(exported, user, func(f event.Fields) string { return f.Item.ItemUUID }), counted(20, true)},
		{"mfa-fatigue", 10 * time.Minute, false, one(func(f event.Fields) bool { return f.Signin.Category == "mfa_failed" }, user, id), counted(5, false)},
		{"one-address-many-accounts", time.Hour, true, one(failed, ip, func(f event.Fields) string { return f.Source }), counted(2, true)},
		{"password-spraying", 10 * time.Minute, false, one(failed, ip, func(f event.Fields) string { return f.User.UUID }), counted(10, true)},
		{"self-granted-vault-use", time.Hour, false, two(
			func(f event.Fields) bool { return audit("grant", "uva")(f) && f.Audit.AuxUUID == f.User.UUID },
			func(f event.Fields) bool {
				return f.Kind == "item" && slices.Contains([]string{"reveal", "secure-copy", "export"}, f.Item.Action)
			},
			func(f event.Fields) []string { return []string{f.User.UUID, f.Audit.ObjectUUID} },
			func(f event.Fields) []string { return []string{f.User.UUID, f.Item.VaultUUID} }), followed(1)},
		{"service-account-token-created", time.Hour, false, one(audit("create", "satoken"), user, id), counted(1, false)},
		{"signin-after-failures", 15 * time.Minute, false, two(failed, in, user, user), followed(5)},
		{"signin-after-firewall-denial", 30 * time.Minute, false, two(
			func(f event.Fields) bool { return f.Signin.Category == "firewall_failed" }, in, user, user), followed(1)},
		{"signins-from-two-countries", 2 * time.Hour, false, one(
			func(f event.Fields) bool { return in(f) && !f.User.Service }, user,
			func(f event.Fields) string { return f.Location.Country }), counted(2, true)},
		{"impossible-travel", day, false, one(
			func(f event.Fields) bool { return in(f) && !f.User.Service && f.Location.Known }, user,
			func(f event.Fields) string {
				return fmt.Sprintf("%g %g", f.Location.Latitude, f.Location.Longitude)
			}), journeys(900)},
		{"recovery-and-two-factor-off", time.Hour, false, two(audit("disblmfa", "user"), audit("beginr", "user"),
			func(f event.Fields) []string { return []string{f.Audit.ObjectUUID} },
			func(f event.Fields) []string { return []string{f.Audit.ObjectUUID} }), both},
		{"vault-exported", time.Hour, false, one(audit("export", "vault"), user, id), counted(1, false)},
	}
}

// alerts evaluates the rules over all records of the worlds.
func alerts(t testing.TB, worlds []*World) []Expected {
	t.Helper()
	rules := plainRules()
	type group struct {
		rule int
		key  string
	}
	hits := map[group][]plainHit{}
	for _, w := range worlds {
		for _, feed := range event.Feeds {
			w.Records(feed, func(r Record) bool {
				e := event.Event{ID: r.UUID, Kind: feed.Kind(), Source: w.Name(), Time: r.Time, Raw: r.JSON}
				f, err := e.Fields()
				if err != nil {
					t.Fatal(err)
				}
				for n, rule := range rules {
					step, key, value := rule.step(f)
					if step == 0 || slices.Contains(key, "") {
						continue
					}
					g := group{n, strings.Join(key, " ")}
					if !rule.across {
						g.key += " in " + w.Account()
					}
					hits[g] = append(hits[g], plainHit{r.Time, r.UUID, w.Account(), step, value})
				}
				return true
			})
		}
	}
	var out []Expected
	for g, list := range hits {
		rule := rules[g.rule]
		slices.SortFunc(list, func(a, b plainHit) int {
			if c := a.at.Compare(b.at); c != 0 {
				return c
			}
			return strings.Compare(a.uuid, b.uuid)
		})
		key, _, _ := strings.Cut(g.key, " in ")
		for _, episode := range join(rule.clusters(list, rule.window), min(rule.window, time.Hour)) {
			var evidenceOf []evidence
			for _, h := range episode {
				evidenceOf = append(evidenceOf, evidence{h.at.UnixNano(), h.uuid, h.account})
			}
			out = append(out, expectation("", rule.id, strings.Fields(key), evidenceOf))
		}
	}
	return out
}

// join makes episodes of the sets: those that share a hit or lie no more than
// the quiet gap apart.
func join(sets [][]plainHit, quiet time.Duration) [][]plainHit {
	for i := 0; i < len(sets); i++ {
		for j := i + 1; j < len(sets); j++ {
			a, b := sets[i], sets[j]
			apart := max(b[0].at.Sub(a[len(a)-1].at), a[0].at.Sub(b[len(b)-1].at))
			if apart > quiet {
				continue
			}
			seen := map[string]plainHit{}
			for _, h := range slices.Concat(a, b) {
				seen[h.uuid] = h
			}
			var union []plainHit
			for _, h := range seen {
				union = append(union, h)
			}
			slices.SortFunc(union, func(a, b plainHit) int {
				if c := a.at.Compare(b.at); c != 0 {
					return c
				}
				return strings.Compare(a.uuid, b.uuid)
			})
			sets[i] = union
			sets = slices.Delete(sets, j, j+1)
			i, j = -1, len(sets) // begin again
		}
	}
	return sets
}

func lines(all []Expected) []string {
	var out []string
	for _, e := range all {
		out = append(out, fmt.Sprintf("%s %v %v %s..%s %v", e.Rule, e.Key, e.Accounts, e.First.Format(time.RFC3339Nano), e.Last.Format(time.RFC3339Nano), e.Events))
	}
	slices.Sort(out)
	return out
}

func checkTruth(t *testing.T, worlds []*World) {
	t.Helper()
	var told []Expected
	for _, w := range worlds {
		told = append(told, w.Expected()...)
	}
	want, have := lines(told), lines(alerts(t, worlds))
	for _, l := range want {
		if !slices.Contains(have, l) {
			t.Errorf("told but not raised: %s", l)
		}
	}
	for _, l := range have {
		if !slices.Contains(want, l) {
			t.Errorf("raised but not told: %s", l)
		}
	}
	if len(want) != len(have) {
		t.Errorf("%d alerts told, %d raised", len(want), len(have))
	}
}

func TestStoriesRaiseWhatTheyTell(t *testing.T) {
	worlds := []struct {
		name string
		n    int
		cfg  WorldConfig
	}{
		{"a month of sixty people", 1, WorldConfig{People: 60, Events: 20_000, Rounds: 3, LateItemUsages: true}},
		{"three accounts", 3, WorldConfig{People: 60, Days: 10, Events: 10_000, Rounds: 2}},
		{"few people, many stories", 2, WorldConfig{People: 5, Days: 20, Events: 2000, Rounds: 5}},
		{"one day", 2, WorldConfig{People: 40, Days: 1, Rounds: 1, MSP: true}},
		{"a busy week", 1, WorldConfig{People: 150, Days: 7, Events: 25_000, Rounds: 1}},
		{"no story", 2, WorldConfig{People: 100, Days: 14, Events: 15_000, Stories: []string{}}},
	}
	seeds := 2
	if long() {
		seeds = 60
	}
	for _, c := range worlds {
		t.Run(c.name, func(t *testing.T) {
			for seed := range seeds {
				c.cfg.Seed = uint64(seed + 1)
				worlds := NewWorlds(c.cfg, c.n)
				checkTruth(t, worlds)
				if len(c.cfg.Stories) == 0 && c.cfg.Stories != nil && len(worlds[0].Expected()) > 0 {
					t.Error("a world without stories expects alerts")
				}
				if t.Failed() {
					t.Fatalf("seed %d", seed+1)
				}
			}
		})
	}
}

// Every rule of the pack is raised by some story.
func TestStoriesCoverTheRules(t *testing.T) {
	raised := map[string]int{}
	for _, w := range NewWorlds(WorldConfig{Seed: 3, People: 50, Days: 20, Events: 2000, Rounds: 3}, 2) {
		for _, e := range w.Expected() {
			raised[e.Rule]++
		}
	}
	for _, r := range plainRules() {
		if raised[r.id] == 0 {
			t.Errorf("no story raises %s", r.id)
		}
	}
	if len(raised) != len(plainRules()) {
		t.Errorf("stories raise %v", raised)
	}
}

// The checker itself would notice: an alert too many, one too few, one event
// too many in the evidence.
func TestCheckerNotices(t *testing.T) {
	w := NewWorld(WorldConfig{Seed: 1, People: 20, Days: 2, Events: 500, Rounds: 1})
	told, raised := lines(w.Expected()), lines(alerts(t, []*World{w}))
	if !slices.Equal(told, raised) || len(told) < 10 {
		t.Fatalf("%d told, %d raised", len(told), len(raised))
	}
	// A tenth failure more, half a minute after the others.
	var at Expected
	for _, e := range w.Expected() {
		if e.Rule == "many-failed-signins" {
			at = e
		}
	}
	who := slices.IndexFunc(w.people, func(p *person) bool { return p.uuid == at.Key[0] })
	more := w.newRecord(signins, at.Last.Add(30*time.Second).UnixNano(), 1, who, signinBadPassword, -1)
	w.insert(signins, []record{more})
	again := lines(alerts(t, []*World{w}))
	differ := 0
	for _, l := range again {
		if !slices.Contains(told, l) {
			differ++
		}
	}
	if differ != 1 || len(again) != len(told) {
		t.Errorf("one more failure changed %d alerts of %d, want 1", differ, len(again))
	}
}
