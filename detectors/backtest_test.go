package detectors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/bus/alert"
	"watchword/bus/event"
	"watchword/rules"
)

// failer is a test of either kind.
type failer interface {
	Helper()
	Fatal(...any)
}

// asRecords are the lines of a file of the events, some in the one form, some in the other.
func asRecords(tb failer, events []event.Event) []Record {
	tb.Helper()
	var out []Record
	for i := range events {
		e := &events[i]
		data, err := e.Encode()
		if err == nil && i%2 == 0 {
			data, err = json.Marshal(map[string]any{"feed": event.FeedOf(e.Kind), "source": e.Source, "event": e.Raw})
		}
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, Record{Number: uint64(i + 1), Data: data})
	}
	return out
}

// inBatches hands records out n at a time.
func inBatches(records []Record, n int) func(func([]Record) error) error {
	return func(yield func([]Record) error) error {
		for some := range slices.Chunk(records, n) {
			if err := yield(some); err != nil {
				return err
			}
		}
		return nil
	}
}

func backtest(tb failer, set *rules.Set, events []event.Event) *History {
	tb.Helper()
	h, err := (&Backtest{Sets: []*rules.Set{set}, Source: "file"}).Run(context.Background(), inBatches(asRecords(tb, events), 7))
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func allAlerts(h *History, set *rules.Set) (all []alert.Alert) {
	for _, r := range set.Rules() {
		all = append(all, h.Alerts(r)...)
	}
	return all
}

// wordRules are the test rules and a rule for each other word.
func wordRules() map[string]string {
	texts := maps.Clone(testRules)
	texts["both"] = `let failed = signin.outcome == "failure"; let exported = item.action == "export"; together(failed, exported) | by(user.uuid) | within("20m")`
	texts["hurry"] = `let failed = signin.outcome == "failure"; travel(failed, 900) | by(user.uuid) | within("2h")`
	return texts
}

// failedFrom is a failed sign-in at a place.
func (s *story) failedFrom(source, user string, latitude, longitude float64, at time.Time) event.Event {
	return s.event(event.FeedSigninAttempts, source, user, at,
		fmt.Sprintf(`"category":"credentials_failed","client":{"ip_address":"192.0.2.3"},"location":{"latitude":%f,"longitude":%f}`, latitude, longitude))
}

// drawEvents makes events that match the test rules often.
func drawEvents(t *rapid.T, most int) []event.Event {
	var s story
	var events []event.Event
	for range rapid.IntRange(0, most).Draw(t, "events") {
		source := rapid.SampledFrom([]string{"acme", "beta"}).Draw(t, "source")
		user := rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "user")
		at := t0.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "at")) * time.Minute)
		switch rapid.IntRange(0, 5).Draw(t, "what") {
		case 0:
			events = append(events, s.export(source, user, at))
		case 1:
			events = append(events, s.suspend(source, "admin", user, at))
		case 2:
			events = append(events, s.failedFrom(source, user, rapid.SampledFrom([]float64{48.1, 52.5, -33.9}).Draw(t, "latitude"), 11.6, at))
		default:
			events = append(events, s.failed(source, user, rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2"}).Draw(t, "ip"), at))
		}
	}
	return events
}

// In whatever order and however often the events come, a backtest gives the
// alerts of all of them at once, with all their evidence.
func TestBacktestIsEvaluate(t *testing.T) {
	set := loadRules(t, wordRules())
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t, 60)
		want, err := Evaluate(set, events)
		if err != nil {
			t.Fatal(err)
		}
		var lines []event.Event
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, max(len(events)-1, 0)), len(events), len(events)).Draw(t, "again") {
			lines = append(lines, events[i])
		}
		lines = append(lines, events...)
		if len(lines) > 0 {
			lines = rapid.Permutation(lines).Draw(t, "order")
		}
		h := backtest(t, set, lines)
		got := allAlerts(h, set)
		if h.Events != uint64(len(events)) || h.Repeated != uint64(len(lines)-len(events)) || h.Records != uint64(len(lines)) {
			t.Fatalf("%d events of %d records, %d repeated; want %d of %d", h.Events, h.Records, h.Repeated, len(events), len(lines))
		}
		for i := range got {
			if len(got[i].Evidence) != got[i].Count {
				t.Fatalf("%d events of evidence are listed of %d", len(got[i].Evidence), got[i].Count)
			}
		}
		if len(got) == 0 && len(want) == 0 {
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("\n got %+v\nwant %+v", got, want)
		}
	})
}

// All evidence is listed, where a stored alert lists the newest.
func TestBacktestListsAllEvidence(t *testing.T) {
	set := loadRules(t, map[string]string{"failures": testRules["failures"]})
	var s story
	var events []event.Event
	for i := range 3 * alert.MaxEvidence {
		events = append(events, s.failed("acme", "mallory", "192.0.2.1", t0.Add(time.Duration(i)*time.Second)))
	}
	h := backtest(t, set, events)
	got := allAlerts(h, set)
	if len(got) != 1 || got[0].Count != len(events) || len(got[0].Evidence) != len(events) {
		t.Fatalf("want one alert with %d events, got %+v", len(events), got)
	}
	for i, e := range got[0].Evidence {
		if e.ID != events[i].ID || !e.Time.Equal(events[i].Time) {
			t.Fatalf("evidence %d is %+v, want %s", i, e, events[i].ID)
		}
	}
}

// What cannot be read is told with its number and reason, in order, and the
// rest is evaluated.
func TestBacktestPassesOverWhatIsBad(t *testing.T) {
	set := loadRules(t, map[string]string{"export": testRules["export"]})
	var s story
	records := asRecords(t, []event.Event{
		s.export("acme", "ann", t0), s.export("acme", "bob", t0), s.export("beta", "ann", t0),
	})
	changed := bytesReplaced(records[0].Data, "ann", "eve")
	spaced := bytesReplaced(records[0].Data, `":`, `" : `)
	var all []Record
	for _, data := range [][]byte{
		[]byte("no event"), records[0].Data, changed, spaced, []byte(`{"feed":"itemusages","event":{}}`), records[1].Data, records[2].Data, records[1].Data,
	} {
		all = append(all, Record{File: 7, Number: uint64(len(all) + 1), Data: data})
	}
	all = append(all, Record{File: 7, Number: 9, Err: errors.New("longer than 16 MiB")})
	for _, size := range []int{1, 3, 100} {
		var told []string
		b := &Backtest{
			Sets: []*rules.Set{set}, Keep: func(f *event.Fields) bool { return f.Source != "beta" },
			Unused: func(file int, n uint64, err error) { told = append(told, fmt.Sprintf("%d: %v", n+uint64(file)-7, err)) },
		}
		h, err := b.Run(t.Context(), inBatches(all, size))
		if err != nil {
			t.Fatal(err)
		}
		want := HistoryStats{Records: 9, Events: 2, Repeated: 2, LeftOut: 1, Unreadable: 3, SetAside: 1, Hits: 2, First: t0, Last: t0}
		if h.HistoryStats != want {
			t.Errorf("\n got %+v\nwant %+v", h.HistoryStats, want)
		}
		if len(told) != 4 || told[3] != "9: longer than 16 MiB" || !strings.HasPrefix(told[0], "1: no JSON") || !strings.HasPrefix(told[1], "3: the id acme/") || !strings.HasPrefix(told[2], "5: itemusages object: no uuid") {
			t.Errorf("told %q", told)
		}
		var keys []string
		for _, a := range allAlerts(h, set) {
			keys = append(keys, a.Source+" "+a.Key[0])
		}
		if !slices.Equal(keys, []string{"acme ann", "acme bob"}) {
			t.Errorf("alerts of %v", keys)
		}
	}
}

func bytesReplaced(data []byte, old, new string) []byte {
	return []byte(strings.ReplaceAll(string(data), old, new))
}

func TestBacktestEndsWithItsInput(t *testing.T) {
	set := loadRules(t, testRules)
	broken := errors.New("the disk is gone")
	b := &Backtest{Sets: []*rules.Set{set}}
	if _, err := b.Run(t.Context(), func(func([]Record) error) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := b.Run(ctx, func(yield func([]Record) error) error {
		for n := 0; ; n++ {
			if n == 100 {
				cancel()
			}
			if err := yield([]Record{{Number: 1, Data: []byte("{}")}}); err != nil {
				return err
			}
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// Sets do not touch each other, and what a matcher counts is summed up.
func TestBacktestOfTwoSets(t *testing.T) {
	a, b := loadRules(t, map[string]string{"export": testRules["export"]}), loadRules(t, testRules)
	var s story
	var events []event.Event
	for i := range 40 {
		events = append(events, s.export("acme", fmt.Sprint("user", rand.IntN(3)), t0.Add(time.Duration(i)*time.Hour)))
	}
	h, err := (&Backtest{Sets: []*rules.Set{a, b}}).Run(t.Context(), inBatches(asRecords(t, events), 3))
	if err != nil {
		t.Fatal(err)
	}
	one, two := h.Alerts(a.Rule("export")), h.Alerts(b.Rule("export"))
	if len(one) == 0 || !reflect.DeepEqual(one, two) {
		t.Errorf("one set has %d alerts, the other %d", len(one), len(two))
	}
	if got := h.Matched(a); len(got) != 1 || got[0].Rule != "export" || got[0].Matched != 40 {
		t.Errorf("matched %+v, want 40 of export", got)
	}
	if len(h.Matched(b)) != len(b.Rules()) {
		t.Errorf("matched %+v", h.Matched(b))
	}
	if n := h.Keys(a.Rule("export")); n != len(keysOf(one)) {
		t.Errorf("%d keys, want %d", n, len(keysOf(one)))
	}
}

func keysOf(alerts []alert.Alert) map[string]bool {
	keys := map[string]bool{}
	for _, a := range alerts {
		keys[a.Source+"/"+strings.Join(a.Key, "/")] = true
	}
	return keys
}

// Since leaves out what ended before, and looks as far back as the rules reach.
func TestBacktestSince(t *testing.T) {
	set := loadRules(t, map[string]string{"failures": testRules["failures"]}) // 3 within 1h, quiet 1h
	var s story
	var events []event.Event
	for _, minute := range []int{0, 1, 2, 290, 300, 310, 600} {
		events = append(events, s.failed("acme", "ann", "192.0.2.1", t0.Add(time.Duration(minute)*time.Minute)))
	}
	for minute, want := range map[int]string{-1000: "0–2 290–310", 2: "0–2 290–310", 3: "290–310", 310: "290–310", 311: "", 2000: ""} {
		b := &Backtest{Sets: []*rules.Set{set}, Since: t0.Add(time.Duration(minute) * time.Minute)}
		h, err := b.Run(t.Context(), inBatches(asRecords(t, events), 2))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range allAlerts(h, set) {
			got = append(got, fmt.Sprintf("%.0f–%.0f", a.First.Sub(t0).Minutes(), a.Last.Sub(t0).Minutes()))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("since minute %d: %v, want %s", minute, got, want)
		}
		for _, p := range h.Curves(set.Rule("failures"))[0].Points {
			if p.N == 3 && p.Alerts != len(got) {
				t.Errorf("since minute %d: %d alerts in the curve, want %d", minute, p.Alerts, len(got))
			}
		}
	}
}
