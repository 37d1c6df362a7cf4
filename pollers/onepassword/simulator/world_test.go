package simulator

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"watchword/bus/event"
)

func TestSizeOfWorld(t *testing.T) {
	sizes := []WorldConfig{{}, {People: 20, Days: 3}, {People: 2, Days: 1, Events: 500}, {People: 500, Days: 10, Events: 50_000}}
	if long() {
		sizes = append(sizes, WorldConfig{People: 1000, Events: 1_000_000})
	}
	for _, cfg := range sizes {
		cfg.Seed, cfg.LateItemUsages = 1, true
		want := cfg.withDefaults().Events
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		w := NewWorld(cfg)
		runtime.GC()
		runtime.ReadMemStats(&after)
		have := 0
		for _, f := range event.Feeds {
			have += w.Count(f)
		}
		if have < want || have > want*3/2+500 {
			t.Errorf("%d people, %d days: %d events, want %d to %d", cfg.People, cfg.Days, have, want, want*3/2+500)
		}
		if perEvent := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / int64(have); have > 100_000 && perEvent > 120 {
			t.Errorf("%d events take %d bytes each", have, perEvent)
		}
		if w.Complete().Before(w.End().Add(-day)) {
			t.Errorf("the last event comes at %v, the end is %v", w.Complete(), w.End())
		}
	}
}

func TestRecordsAreReadable(t *testing.T) {
	for _, cfg := range []WorldConfig{{Seed: 1, People: 40, Days: 7}, {Seed: 2, People: 40, Days: 3, MSP: true}} {
		w := NewWorld(cfg)
		for _, f := range event.Feeds {
			last := Record{}
			w.Records(f, func(r Record) bool {
				h, err := event.ReadHead(f, r.JSON)
				if err != nil {
					t.Fatalf("%v: %s", err, r.JSON)
				}
				if h.UUID != r.UUID || !h.Timestamp.Equal(r.Time) || h.Entity == "" {
					t.Fatalf("head %+v of %s: %s", h, r.UUID, r.JSON)
				}
				if r.Time.Before(last.Time) || r.Time.Equal(last.Time) && r.UUID <= last.UUID {
					t.Fatalf("%s at %v comes after %s at %v", r.UUID, r.Time, last.UUID, last.Time)
				}
				if r.Available.Before(r.Time) {
					t.Fatalf("%s is available before it happens", r.UUID)
				}
				last = r
				return true
			})
		}
	}
}

// Every kind of person and every part of ordinary life is there.
func TestOrdinaryLife(t *testing.T) {
	w := NewWorld(WorldConfig{Seed: 1, People: 150, Days: 14, Events: 60_000, LateItemUsages: true, Stories: []string{}})
	have := map[string]int{}
	late := 0
	early, firsts, all, seen := map[time.Weekday]int{}, map[time.Weekday]int{}, map[time.Weekday]int{}, map[string]bool{}
	for _, feed := range event.Feeds {
		w.Records(feed, func(r Record) bool {
			e := event.Event{ID: r.UUID, Kind: feed.Kind(), Source: "acme", Time: r.Time, Raw: r.JSON}
			f, err := e.Fields()
			if err != nil {
				t.Fatal(err)
			}
			have[f.Signin.Category]++
			have[f.Item.Action]++
			have[f.Audit.Action+" "+f.Audit.ObjectType]++
			if f.User.Service {
				have["service "+f.Kind]++
			}
			if feed == event.FeedItemUsages && r.Available.Sub(r.Time) > refresh*2 {
				late++
			}
			if f.Kind == "signin" {
				all[r.Time.Weekday()]++
				// The first of a person's day, where that day is not another in UTC.
				name := f.User.UUID + r.Time.Format(time.DateOnly)
				if h := r.Time.Hour(); !seen[name] && !f.User.Service && h > 5 && h < 18 {
					firsts[r.Time.Weekday()]++
					if r.Time.Minute() < 15 { // all offices keep whole hours
						early[r.Time.Weekday()]++
					}
				}
				seen[name] = true
			}
			return true
		})
	}
	want := []string{
		"success", "firewall_reported_success", "credentials_failed", "mfa_failed", "sso_failed", "modern_version_failed", "firewall_failed",
		"service signin", "service item", "service audit", "suspend user", "grant uva", "join gm", "create device", "create invite",
	}
	for _, v := range itemVerbs {
		want = append(want, v.action)
	}
	for _, v := range auditVerbs {
		if v.member+v.admin+v.bridge > 0 {
			want = append(want, v.action+" "+v.object)
		}
	}
	for _, name := range want {
		if have[name] == 0 && !strings.HasPrefix(name, "aigrant") {
			t.Errorf("ordinary life never has %q", name)
		}
	}
	if share := float64(late) / float64(w.Count(event.FeedItemUsages)); share < 0.02 || share > 0.04 {
		t.Errorf("%.3f of item usages are late", share)
	}
	rush := func(d time.Weekday) float64 { return float64(early[d]) / float64(firsts[d]) }
	if rush(time.Monday) < 1.5*rush(time.Tuesday) {
		t.Errorf("no rush on Monday morning: %.2f of first sign-ins in the first quarter of an hour, %.2f on Tuesday", rush(time.Monday), rush(time.Tuesday))
	}
	if all[time.Saturday]*2 > all[time.Monday] {
		t.Errorf("%d sign-ins on Saturdays, %d on Mondays", all[time.Saturday], all[time.Monday])
	}
}

func TestWorldConfigIsChecked(t *testing.T) {
	for want, cfg := range map[string]WorldConfig{
		"people": {People: 1}, "account": {Account: MaxAccounts}, "days": {Days: 400}, "negative": {Rounds: -1},
		`"peace"`: {Stories: []string{"peace"}}, `"war"`: {Placements: []Placement{{Kind: "war"}}},
	} {
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want one that names %s", cfg, err, want)
		}
	}
	if err := (WorldConfig{}).Validate(); err != nil {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a world was made of a bad configuration")
		}
	}()
	NewWorld(WorldConfig{People: 1})
}

func TestPlacements(t *testing.T) {
	at := DefaultStart.Add(50 * 60 * refresh) // an hour and forty minutes in
	w := NewWorld(WorldConfig{Seed: 1, People: 10, Days: 2, Stories: []string{}, Placements: []Placement{{"mass-export", at}}})
	all := w.Expected()
	if len(all) != 1 || all[0].Rule != "mass-item-export" || all[0].First.Sub(at) > 10*refresh || all[0].First.Before(at) {
		t.Errorf("%+v", all)
	}
}
