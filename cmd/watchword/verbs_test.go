package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/bus/bustest"
	"watchword/bus/event"
)

const (
	ines  = "H4NJX2CQ7WLTZ5KBRM3DVYS6AE"
	pavel = "T7XQBN2HWZ4KCJ5RLM6DVYA3SE"
)

// storeWith makes a store with a few events, markers and alerts, and returns
// its directory. Nothing holds it.
func storeWith(t *testing.T) (dir string, now time.Time) {
	t.Helper()
	dir, now = filepath.Join(t.TempDir(), "store"), time.Now().UTC().Truncate(time.Second)
	b, err := bus.Open(t.Context(), bus.Config{Store: dir, Logger: bustest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	signin := func(n int, who, name, category string, at time.Time, ip string) bus.Message {
		raw := fmt.Sprintf(`{"uuid":"S%d","timestamp":%q,"category":%q,"type":"mfa_ok","target_user":{"uuid":%q,"name":%q,"email":%q},"client":{"ip_address":%q}}`,
			n, at.Format(time.RFC3339), category, who, name, strings.ToLower(strings.Fields(name)[0])+"@acme.example", ip)
		return eventMessage(t, event.KindSignin, event.ID("acme", event.FeedSigninAttempts, fmt.Sprintf("S%d", n)), who, raw, at)
	}
	item := eventMessage(t, event.KindItem, "acme/itemusages/I1", ines,
		fmt.Sprintf(`{"uuid":"I1","action":"export","item_uuid":"x","user":{"uuid":%q,"name":"Ines Okafor","email":"ines@acme.example"}}`, ines), now.Add(-time.Hour))
	bustest.Put(t, b, bus.Events,
		signin(1, ines, "Ines Okafor", "credentials_failed", now.Add(-3*time.Hour), "203.0.113.24"),
		signin(2, pavel, "Pavel Lindqvist", "success", now.Add(-2*time.Hour), "198.51.100.7"),
		signin(3, ines, "Ines Okafor", "success", now.Add(-90*time.Minute), "203.0.113.25"),
		item,
		marker(t, event.Progress{Source: "acme", Feed: event.FeedSigninAttempts, First: now.Add(-4 * time.Hour), Watermark: now.Add(-2 * time.Minute),
			Polled: now.Add(-time.Minute), Cursor: "opaque", Counts: event.Counts{Events: 3, Late: 1}}),
		marker(t, event.Progress{Source: "acme", Feed: event.FeedItemUsages, First: now.Add(-4 * time.Hour), Watermark: now.Add(-time.Hour),
			Trouble: "the token is refused", TroubleSince: now.Add(-time.Hour)}),
	)
	guess := exampleAlert()
	guess.First, guess.Last, guess.Count = now.Add(-3*time.Hour), now.Add(-time.Hour), 2
	guess.Evidence = []alert.Evidence{
		{ID: "acme/signinattempts/S1", Seq: 1, Step: "failed", Time: now.Add(-3 * time.Hour)},
		{ID: "acme/itemusages/I1", Seq: 4, Step: "exported", Time: now.Add(-time.Hour)},
		{ID: "acme/signinattempts/GONE", Seq: 2, Step: "failed", Time: now.Add(-200 * day)},
		{ID: "acme/signinattempts/NEVER", Seq: 4000, Step: "failed", Time: now.Add(-200 * day)},
	}
	grown := guess
	grown.Status, grown.Revision, grown.Count = alert.Updated, 2, 7
	old := exampleAlert()
	old.ID, old.Rule, old.Title, old.Severity = "bbbbbbbbbbbbbbbbbbbbbbbb", "vault-exported", "A vault was exported", alert.Medium
	old.First, old.Last, old.Status, old.Historical = now.Add(-40*day), now.Add(-40*day), alert.Closed, true
	bustest.Put(t, b, bus.Alerts, alertMessage(t, &old), alertMessage(t, &guess), alertMessage(t, &grown))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, now
}

func eventMessage(t *testing.T, kind event.Kind, id, entity, raw string, at time.Time) bus.Message {
	t.Helper()
	e := event.Event{ID: id, Type: event.TypeOnePassword, Kind: kind, Source: "acme", Time: at, Received: at, Raw: []byte(raw)}
	data, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return bus.Message{Subject: bus.EventSubject(&e, entity), Data: data}
}

func marker(t *testing.T, p event.Progress) bus.Message {
	t.Helper()
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return bus.Message{Subject: bus.ProgressSubject(p.Source, p.Feed), Data: data, Rollup: true, Keep: true}
}

func alertMessage(t *testing.T, a *alert.Alert) bus.Message {
	t.Helper()
	data, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return bus.Message{Subject: bus.AlertSubject(a), Data: data}
}

// TestReadingVerbs runs the verbs over one store, as somebody would who types
// them when nothing else runs.
func TestReadingVerbs(t *testing.T) {
	dir, _ := storeWith(t)
	guess := exampleAlert().ID
	for _, c := range []struct {
		args string
		code int
		has  []string
		not  []string
	}{
		{"alerts list", 0, []string{guess, "updated", "mateo@acme.example", "7", "bbbbbbbbbbbbbbbbbbbbbbbb", "closed, historical"}, []string{"opened"}},
		{"alerts list --status open", 0, []string{guess}, []string{"bbbbbbbb"}},
		{"alerts list --status opened", 0, nil, []string{guess, "bbbbbbbb"}},
		{"alerts list --severity high", 0, []string{guess}, []string{"bbbbbbbb"}},
		{"alerts list --rule vault-exported", 0, []string{"bbbbbbbb"}, []string{guess}},
		{"alerts list --since 30d", 0, []string{guess}, []string{"bbbbbbbb"}},
		{"alerts list --source other", 0, nil, []string{guess}},
		{"alerts list --limit 1", 0, []string{guess, "1 older alerts left out"}, []string{"bbbbbbbb"}},
		{"alerts list --severity loud", 2, []string{"--severity", "loud", "critical"}, nil},
		{"alerts list --status gone", 2, []string{"--status", "gone", "open"}, nil},
		{"alerts list --since whenever", 2, []string{"--since"}, nil},
		{"alerts show " + guess[:5], 0, []string{"revision 2", "Suspend.", "credentials_failed", "export item x", `"uuid":"S1"`, "holds another event", "no longer stored"}, nil},
		{"alerts show bbb", 0, []string{"A vault was exported", "closed"}, nil},
		{"alerts show zzz", 1, []string{`no alert "zzz"`}, nil},
		{"alerts show", 2, []string{"expected"}, nil},
		{"events search", 0, []string{"Ines Okafor", "Pavel Lindqvist", "export item x"}, []string{"progress"}},
		{"events search --user " + ines, 0, []string{"Ines Okafor", "export item x"}, []string{"Pavel"}},
		{"events search --user INES@acme.example --kind signin", 0, []string{"credentials_failed"}, []string{"export", "Pavel"}},
		{"events search --user lindq", 0, []string{"Pavel"}, []string{"Ines"}},
		{"events search --user ines@acme", 0, []string{"no events match"}, []string{"Ines"}},
		{"events search --action export", 0, []string{"export item x"}, []string{"signin"}},
		{"events search --ip 203.0.113.0/24", 0, []string{"203.0.113.24", "203.0.113.25"}, []string{"198.51.100.7", "export"}},
		{"events search --ip 203.0.113.24", 0, []string{"203.0.113.24"}, []string{"203.0.113.25"}},
		{"events search --since 100m", 0, []string{"203.0.113.25", "export"}, []string{"203.0.113.24"}},
		{"events search --until 100m", 0, []string{"203.0.113.24"}, []string{"203.0.113.25", "export"}},
		{"events search --source other", 0, []string{"no events match"}, []string{"Ines"}},
		{"events search --limit 1", 0, []string{"export item x", "3 older events left out"}, []string{"signin"}},
		{"events search --kind login", 2, []string{"--kind", "login"}, nil},
		{"events search --ip everywhere", 2, []string{"--ip", "everywhere"}, nil},
		{"sources status", 1, []string{"signinattempts", "fine", "in trouble", "the token is refused"}, []string{"opaque"}},
		{"sources status --json", 1, []string{`"state":"fine"`}, []string{"opaque"}},
	} {
		t.Run(c.args, func(t *testing.T) {
			out, errs := runs(t, c.code, append([]string{"--store", dir}, strings.Fields(c.args)...)...)
			for _, want := range c.has {
				if !strings.Contains(out+errs, want) {
					t.Errorf("want %q in\n%s%s", want, out, errs)
				}
			}
			for _, not := range c.not {
				if strings.Contains(out, not) {
					t.Errorf("do not want %q in\n%s", not, out)
				}
			}
		})
	}
}

// TestJSONOutput: one object a line on standard output, times in RFC 3339 UTC.
func TestJSONOutput(t *testing.T) {
	dir, now := storeWith(t)
	for args, want := range map[string]struct {
		lines int
		has   string
	}{
		"alerts list":                            {2, `"last":"` + now.Add(-time.Hour).Format(time.RFC3339)},
		"alerts show " + exampleAlert().ID:       {1, `"missing":"no longer stored"`},
		"events search --user " + ines:           {3, `"time":"` + now.Add(-time.Hour).Format(time.RFC3339)},
		"sources status":                         {2, `"watermark":"`},
		"rules list":                             {16, `"id":"vault-exported"`},
		"config":                                 {12, `"key":"store"`},
		"version":                                {1, `"go":"go`},
		"simulate --expected --days 2 --no-live": {-1, `"rule":"`},
	} {
		t.Run(args, func(t *testing.T) {
			p, out, errs := testProgram(t)
			if code := p.run(t.Context(), append([]string{"--json", "--store", dir}, strings.Fields(args)...)); code > exitProblems {
				t.Fatalf("exit code %d: %s", code, errs)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if want.lines >= 0 && len(lines) != want.lines {
				t.Errorf("want %d lines, got %d:\n%s", want.lines, len(lines), out)
			}
			for _, l := range lines {
				var object map[string]any
				if err := json.Unmarshal([]byte(l), &object); err != nil {
					t.Errorf("no JSON object: %v\n%s", err, l)
				}
			}
			if !strings.Contains(out.String(), want.has) {
				t.Errorf("want %s in\n%s", want.has, out)
			}
		})
	}
}

func TestReadingWithoutAStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nothing")
	_, errs := runs(t, exitProblems, "--store", dir, "alerts", "list")
	if !strings.Contains(errs, dir) {
		t.Errorf("want an error that names the store, got %s", errs)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("a verb that reads has made the store: %v", err)
	}
}

func TestWrongUse(t *testing.T) {
	t.Chdir(t.TempDir())
	for args, want := range map[string]string{
		"":                           "expected one of",
		"watch":                      "unexpected argument watch",
		"run --nonsense":             "--nonsense",
		"run":                        "no sources",
		"sources check":              "no sources",
		"--log-level loud config":    "log.level",
		"-c nowhere.yaml config":     "nowhere.yaml",
		"rules check nowhere":        "nowhere",
		"simulate --fault sever=0.1": "want a rate",
		"simulate --quirk none":      "--quirk",
		"simulate --start soon":      "--start",
		"simulate --people 0":        "--people",
		"--nats nats://x run --demo": "store of its own",
	} {
		t.Run(args, func(t *testing.T) {
			out, errs := runs(t, exitWrongUse, strings.Fields(args)...)
			if !strings.Contains(errs, want) || out != "" {
				t.Errorf("want %q on standard error and nothing else, got %s and %s", want, errs, out)
			}
		})
	}
}

func TestRulesVerbs(t *testing.T) {
	dir := t.TempDir()
	good := "---\ntitle: fine\nseverity: low\n---\nitem.action == \"export\"\n"
	bad := "---\ntitle: not fine\nseverity: low\n---\nitem.acton == \"export\"\n"
	for name, text := range map[string]string{"good/mine.expr": good, "bad/mine.expr": bad} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, errs := runs(t, exitFine, "rules", "check"); !strings.Contains(errs, "16 rules, all fine") {
		t.Errorf("unexpected answer: %s", errs)
	}
	runs(t, exitFine, "rules", "check", filepath.Join(dir, "good"))
	out, _ := runs(t, exitProblems, "rules", "check", filepath.Join(dir, "bad"))
	if !strings.Contains(out, "mine.expr:5:") || !strings.Contains(out, "item.action") {
		t.Errorf("want place and proposal, got %s", out)
	}
	out, _ = runs(t, exitProblems, "--json", "rules", "check", filepath.Join(dir, "bad"))
	if !strings.Contains(out, `"line":5`) {
		t.Errorf("want JSON with the line, got %s", out)
	}
	if out, _ = runs(t, exitFine, "rules", "list", filepath.Join(dir, "good")); !strings.Contains(out, "mine") || strings.Contains(out, "vault-exported") {
		t.Errorf("want only the rule of the folder, got %s", out)
	}
}

func TestSimulateIsRepeatable(t *testing.T) {
	args := []string{"simulate", "--expected", "--start", "2026-05-04", "--days", "3", "--people", "40", "--no-live"}
	first, _ := runs(t, exitFine, args...)
	second, _ := runs(t, exitFine, args...)
	other, _ := runs(t, exitFine, append(args, "--seed", "2")...)
	if first == "" || first != second || first == other {
		t.Errorf("the same seed must give the same ground truth, another one another:\n%s\n%s\n%s", first, second, other)
	}
}
