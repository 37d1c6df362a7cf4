package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
	"watchword/pollers/onepassword/simulator"
)

// runsOn is runs with something on standard input.
func runsOn(t *testing.T, stdin string, code int, args ...string) (out, errs string) {
	t.Helper()
	p, o, e := testProgram(t)
	p.in = strings.NewReader(stdin)
	if got := p.run(t.Context(), args); got != code {
		t.Fatalf("watchword %s\nwant exit code %d, got %d\n%s%s", strings.Join(args, " "), code, got, o, e)
	}
	return o.String(), e.String()
}

// readAlerts reads the lines that --json prints.
func readAlerts(t *testing.T, out string) []foundAlert {
	t.Helper()
	var list []foundAlert
	for line := range strings.Lines(out) {
		var a foundAlert
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		list = append(list, a)
	}
	return list
}

// expectedLines are the alerts that a world says its stories raise, to the last event.
func expectedLines(worlds []*simulator.World) []string {
	names := map[string]string{}
	for _, w := range worlds {
		names[w.Account()] = w.Name()
	}
	var out []string
	for _, w := range worlds {
		for _, e := range w.Expected() {
			source := ""
			if len(e.Accounts) == 1 {
				source = names[e.Accounts[0]]
			}
			out = append(out, fmt.Sprintln(e.Rule, source, e.Key, e.First.UnixNano(), e.Last.UnixNano(), e.Events))
		}
	}
	slices.Sort(out)
	return out
}

func foundLines(t *testing.T, list []foundAlert) []string {
	t.Helper()
	var out []string
	for _, a := range list {
		var uuids []string
		for _, e := range a.Evidence {
			uuids = append(uuids, e.ID[strings.LastIndexByte(e.ID, '/')+1:])
			if e.Step == "" || e.Time.IsZero() {
				t.Errorf("alert of %s: evidence %+v", a.Rule, e)
			}
		}
		if a.Count != len(a.Evidence) || a.Status != "opened" || a.Title == "" || a.Severity == "" {
			t.Errorf("alert %+v", a)
		}
		out = append(out, fmt.Sprintln(a.Rule, a.Source, a.Key, a.First.UnixNano(), a.Last.UnixNano(), uuids))
	}
	slices.Sort(out)
	return out
}

func sameLines(t *testing.T, got, want []string) {
	t.Helper()
	for _, l := range want {
		if !slices.Contains(got, l) {
			t.Errorf("missing:    %s", l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			t.Errorf("unexpected: %s", l)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d alerts, want %d", len(got), len(want))
	}
}

// Over everything that happened in two accounts, in any order and some of it
// twice, a backtest of the built-in rules gives the alerts of the stories that
// were told, with every event of each, and no other. Nothing is left behind.
//
// WATCHWORD_LONG=1 takes 300 people over 30 days.
func TestBacktestOfWorlds(t *testing.T) {
	config := simulator.WorldConfig{Seed: 11, People: 60, Days: 14}
	if os.Getenv("WATCHWORD_LONG") != "" {
		config.People, config.Days = 300, 30
	}
	worlds := simulator.NewWorlds(config, 2)
	var lines [][]byte
	for _, w := range worlds {
		lines = append(lines, worldLines(w, w.Name(), 1)...)
	}
	lines = append(lines, lines[:len(lines)/10]...)
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("events.ndjson", bytes.Join(lines, []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"rules", "backtest", "--file", "events.ndjson", "--json"}
	for _, w := range worlds { // what other rules raise the world does not know
		for _, e := range w.Expected() {
			if !slices.Contains(args, e.Rule) {
				args = append(args, e.Rule)
			}
		}
	}
	out, errs := runs(t, exitFine, args...)
	if errs != "" {
		t.Errorf("there is nothing to say, got %s", errs)
	}
	got := foundLines(t, readAlerts(t, out))
	sameLines(t, got, expectedLines(worlds))
	if len(got) < 20 || len(args) < 15 {
		t.Errorf("only %d alerts: the world is too small to show anything", len(got))
	}
	var left []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, _ fs.DirEntry, err error) error {
		left = append(left, path)
		return err
	})
	if err != nil || !slices.Equal(left, []string{".", "events.ndjson"}) {
		t.Errorf("a backtest of a file left %v behind, %v", left, err)
	}
}

// The store gives what a file of its events gives, and with the sequences.
func TestBacktestOfTheStore(t *testing.T) {
	dir, now := storeWith(t)
	folder := writeFiles(t, map[string]string{"mine.expr": exportRule, "failures.expr": `---
title: failed
severity: low
---
let failed = signin.outcome == "failure";
failed | times(1) | by(user.uuid) | within("1h")
`})
	read := func(args ...string) []foundAlert {
		t.Helper()
		out, errs := runs(t, exitFine, append([]string{"--store", dir, "rules", "backtest", "--rules", folder, "--json"}, args...)...)
		if errs != "" {
			t.Errorf("got %s", errs)
		}
		return readAlerts(t, out)
	}
	all := read()
	if len(all) != 2 || all[0].Rule != "failures" || all[1].Evidence[0].Seq != 4 || all[1].Evidence[0].ID != "acme/itemusages/I1" {
		t.Fatalf("alerts %+v", all)
	}
	if got := read("--since", "2h"); len(got) != 1 || got[0].Rule != "mine" {
		t.Errorf("since two hours: %+v", got)
	}
	if got := read("--until", "2h"); len(got) != 1 || got[0].Rule != "failures" {
		t.Errorf("until two hours: %+v", got)
	}
	if got := read("mine"); len(got) != 1 || got[0].Rule != "mine" {
		t.Errorf("of one rule: %+v", got)
	}
	if got := read("--source", "acme"); len(got) != 2 {
		t.Errorf("of the source: %+v", got)
	}
	if got := read("--source", "other"); len(got) != 0 {
		t.Errorf("of another source: %+v", got)
	}

	var file bytes.Buffer
	b, err := bus.Open(t.Context(), bus.Config{Store: dir, ReadOnly: true, Logger: bustest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	before, err := b.Info(t.Context(), bus.Alerts)
	if err != nil {
		t.Fatal(err)
	}
	err = eachStored(t.Context(), b, bus.Events, bus.AllEvents, func(m bus.Stored) error {
		file.Write(append(m.Data, '\n'))
		return nil
	})
	if err != nil || b.Close() != nil || before.LastSeq != 3 {
		t.Fatalf("the backtests left ALERTS at %d, want 3 (%v)", before.LastSeq, err)
	}
	out, _ := runsOn(t, file.String(), exitFine, "rules", "backtest", "--rules", folder, "--json", "--file", "-")
	sameLines(t, foundLines(t, readAlerts(t, out)), foundLines(t, all))
	if out, _ := runs(t, exitFine, "--store", dir, "rules", "backtest", "--rules", folder); !strings.Contains(out, now.Local().Format(time.DateOnly)) && !strings.Contains(out, "2 alerts") {
		t.Errorf("got %s", out)
	}
}

// exported is a line of a file: somebody exports an item.
func exported(n int, who string, at time.Time) string {
	return fmt.Sprintf(`{"feed":"itemusages","event":{"uuid":"E%d","timestamp":%q,"action":"export","user":{"uuid":%q}}}`, n, at.Format(time.RFC3339Nano), who)
}

var monday = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

// What cannot be read is told with its line and reason; the rest is evaluated.
func TestBacktestOfABadFile(t *testing.T) {
	folder := writeFiles(t, map[string]string{"mine.expr": exportRule})
	good := []string{exported(1, "ann", monday), exported(2, "bob", monday), exported(3, "eve", monday)}
	for _, c := range []struct {
		name, text string
		code       int
		alerts     int
		told       []string
	}{
		{"empty", "", 0, 0, nil},
		{"blank lines, another line end, a byte order mark, no last line end", "\ufeff\n" + good[0] + "\r\n\r\n\n" + good[1] + "\n   \n" + good[2], 0, 3, nil},
		{"all of it twice", strings.Repeat(strings.Join(good, "\n")+"\n", 2), 0, 3, nil},
		{"bad lines between", good[0] + "\nnothing\n" + good[1] + "\n{}\n\n" + `{"feed":"items","event":{}}` + "\n" + good[2] + "\n", 1, 3,
			[]string{"stdin:2: no JSON", "stdin:4: it is neither", `stdin:6: unknown feed "items"`, "3 of 6 records could not be read"}},
		{"a known id with other content", good[0] + "\n" + exported(1, "bob", monday) + "\n" + good[0], 1, 1,
			[]string{"stdin:2: the id file/itemusages/E1 is known with other content", "1 record with a known id and other content set aside"}},
		{"a line too long", good[0] + "\n{" + strings.Repeat(" ", longLine+readChunk) + "}\n" + good[1], 1, 2, []string{"stdin:2: the line is longer than 16 MiB"}},
		{"a last line too long", good[0] + "\n{" + strings.Repeat(" ", 3*longLine) + "}", 1, 1, []string{"stdin:2: the line is longer than 16 MiB"}},
		{"a long line", good[0] + "\n" + strings.Replace(good[1], "{", "{"+strings.Repeat(" ", 3*readChunk), 1) + "\n" + good[2], 0, 3, nil},
		{"control characters", "\x1b[2J", 1, 0, []string{"stdin:1: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs := runsOn(t, c.text, c.code, "rules", "backtest", "--rules", folder, "--file", "-", "--json")
			if got := readAlerts(t, out); len(got) != c.alerts {
				t.Errorf("%d alerts, want %d", len(got), c.alerts)
			}
			for _, want := range c.told {
				if !strings.Contains(errs, want) {
					t.Errorf("want %q in %s", want, errs)
				}
			}
			if len(c.told) == 0 && errs != "" || strings.Contains(errs, "\x1b") {
				t.Errorf("got %s", errs)
			}
		})
	}
}

func TestBacktestOfSeveralFiles(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"mine.expr": exportRule, "a.ndjson": exported(1, "ann", monday) + "\nbad\n", "b.ndjson": "bad\n" + exported(2, "bob", monday),
	})
	a, b := filepath.Join(dir, "a.ndjson"), filepath.Join(dir, "b.ndjson")
	out, errs := runsOn(t, exported(3, "eve", monday), exitProblems, "rules", "backtest", filepath.Join(dir, "mine.expr"), "-f", a, "--file", "-", "--file", b, "--json")
	if n := len(readAlerts(t, out)); n != 3 || !strings.Contains(errs, a+":2: ") || !strings.Contains(errs, b+":1: ") {
		t.Errorf("%d alerts, want 3, and the lines of both files in %s", n, errs)
	}
}

func TestBacktestWrongUse(t *testing.T) {
	t.Chdir(t.TempDir())
	dir := writeFiles(t, map[string]string{
		"good/mine.expr": exportRule, "bad/mine.expr": "---\ntitle: x\n---\nnothing", "events.ndjson": exported(1, "ann", monday),
	})
	file := filepath.Join(dir, "events.ndjson")
	for args, want := range map[string]string{
		"--file nowhere.ndjson":                         "nowhere.ndjson",
		"--file " + dir:                                 "is a directory",
		"--file " + file + " --rules nowhere":           "nowhere",
		"--file " + file + " --rules " + dir + "/bad":   "unknown name nothing",
		"--file " + file + " --against nowhere":         "nowhere",
		"--file " + file + " --against " + dir + "/bad": "unknown name nothing",
		"--file " + file + " vault-expored":             "did you mean vault-exported?",
		"--file " + file + " --since whenever":          "--since",
		"--file " + file + " --until whenever":          "--until",
		"--file " + file + " --since 1d --until 2d":     "is not before",
		"--file " + file + " --limit none":              "--limit",
	} {
		out, errs := runs(t, exitWrongUse, append([]string{"rules", "backtest"}, strings.Fields(args)...)...)
		if !strings.Contains(errs, want) || out != "" {
			t.Errorf("%s: want %q on standard error and nothing else, got %s and %s", args, want, errs, out)
		}
	}
	if _, errs := runs(t, exitProblems, "rules", "backtest"); !strings.Contains(errs, ".watchword") {
		t.Errorf("without a store: %s", errs)
	}
}

// A named rule is evaluated even if it is disabled.
func TestBacktestOfADisabledRule(t *testing.T) {
	dir := writeFiles(t, map[string]string{"mine.expr": strings.Replace(exportRule, "severity", "status: disabled\nseverity", 1)})
	line := exported(1, "ann", monday)
	if out, _ := runsOn(t, line, exitFine, "rules", "backtest", "--rules", dir, "--file", "-"); !strings.Contains(out, "disabled, not evaluated: mine") {
		t.Errorf("got %s", out)
	}
	if out, _ := runsOn(t, line, exitFine, "rules", "backtest", "mine", "--rules", dir, "--file", "-", "--json"); len(readAlerts(t, out)) != 1 {
		t.Errorf("got %s", out)
	}
}

// guesses are failed sign-ins of somebody, some seconds after monday.
func guesses(source, who string, seconds ...int) string {
	var b strings.Builder
	for _, n := range seconds {
		at := monday.Add(time.Duration(n) * time.Second)
		fmt.Fprintf(&b, `{"feed":"signinattempts","source":%q,"event":{"uuid":"%s%d","timestamp":%q,"category":"credentials_failed","target_user":{"uuid":%q},"client":{"ip_address":"192.0.2.7"}}}`+"\n",
			source, who, n, at.Format(time.RFC3339), who)
	}
	return b.String()
}

const failuresRule = `---
title: Sign-ins failed
severity: medium
---
let failed = signin.outcome == "failure";
failed | times(%d) | by(user.uuid) | within("10m")
`

func TestBacktestText(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"failures.expr": fmt.Sprintf(failuresRule, 4), "quiet.expr": exportRule,
		"never.expr": strings.ReplaceAll(exportRule, "export", "reveal"),
	})
	hostile := strings.ReplaceAll(guesses("acme", "eve", 0, 1, 2, 3), `"uuid":"eve"}`, `"uuid":"eve","name":"\u001b[2J"}`)
	text := hostile + guesses("acme", "ann", 0, 60, 120, 180, 200, 86400, 86401, 86402, 86403) + guesses("acme", "bob", 0, 1, 2) +
		guesses("acme", "cid", 0, 1, 2, 640) + exported(1, "zed", monday.Add(48*time.Hour))
	out, errs := runsOn(t, text, exitFine, "rules", "backtest", "--rules", dir, "--file", "-", "--stats")
	for _, want := range []string{
		"21 events, ", "failures  MEDIUM  Sign-ins failed", "3 alerts of 2 keys, 13 events; 20 events matched, of 4 keys",
		"a column for each day, at most 2", "n          3  [4]  5  6  7  8  9  10", "alerts     5    3  1  0  0  0  0   0",
		"5 events", "acme/signinattempts/ann0", "… 3 more", "acme/signinattempts/ann200",
		"near misses: 2", "user.uuid bob, source acme: 3 of 4 failed", "user.uuid cid, source acme: all of it, but the window closed 40s too early",
		"quiet  LOW", "1 alert of 1 key", "no event matched: never", "4 alerts\n", `\x1b[2J`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("a name reached the terminal:\n%s", out)
	}
	if !strings.Contains(errs, "events/s") {
		t.Errorf("want how fast it went, got %s", errs)
	}
	out, _ = runsOn(t, text, exitFine, "rules", "backtest", "--rules", dir, "--file", "-", "--limit", "1")
	if !strings.Contains(out, "2 older alerts left out; --limit 0 shows all") || strings.Contains(out, "ann200") {
		t.Errorf("want the newest alert only, got %s", out)
	}
	if out, _ := runsOn(t, "", exitFine, "rules", "backtest", "--rules", dir, "--file", "-"); !strings.Contains(out, "no events") {
		t.Errorf("got %s", out)
	}
}

func TestBacktestAgainst(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"new/failures.expr": fmt.Sprintf(failuresRule, 4), "old/failures.expr": fmt.Sprintf(failuresRule, 3),
		"old/gone.expr": exportRule, "new/fresh.expr": exportRule, "new/same.expr": exportRule, "old/same.expr": exportRule,
	})
	old, new := filepath.Join(dir, "old"), filepath.Join(dir, "new")
	text := guesses("acme", "ann", 0, 60, 120, 180) + guesses("acme", "bob", 0, 1, 2) + guesses("acme", "cid", 0, 400, 500, 590, 700) + exported(1, "zed", monday)
	args := []string{"rules", "backtest", "--file", "-", "--rules", new, "--against", old}
	out, _ := runsOn(t, text, exitFine, args...)
	for _, want := range []string{
		"failures  MEDIUM", "gained 0, lost 1, changed 0, same 2", "lost     2026-05-04", "user.uuid bob",
		"fresh  LOW", "the rule is new", "gone  LOW", "the rule is gone", "1 gained, 2 lost, 0 changed, 3 the same",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "same  LOW") {
		t.Errorf("a rule without a difference is told:\n%s", out)
	}
	out, _ = runsOn(t, text, exitFine, append(args, "--json")...)
	var changes []string
	for _, a := range readAlerts(t, out) {
		changes = append(changes, a.Change+" "+a.Rule+" "+a.Key[0])
	}
	if want := []string{"lost failures bob", "gained fresh zed", "lost gone zed"}; !slices.Equal(changes, want) {
		t.Errorf("changes %q, want %q", changes, want)
	}
	out, _ = runsOn(t, text, exitFine, append(args, "same")...)
	if !strings.Contains(out, "0 gained, 0 lost, 0 changed, 1 the same") {
		t.Errorf("of one rule:\n%s", out)
	}
	// Who names no rules compares the built-in ones only with their like.
	out, _ = runsOn(t, text, exitFine, "rules", "backtest", "--file", "-", "--against", old)
	if !strings.Contains(out, "0 gained") || strings.Contains(out, "many-failed-signins") {
		t.Errorf("of the built-in rules:\n%s", out)
	}
	// A window that is longer takes in more.
	longer := writeFiles(t, map[string]string{"failures.expr": strings.Replace(fmt.Sprintf(failuresRule, 3), "10m", "1h", 1)})
	out, _ = runsOn(t, guesses("acme", "dan", 0, 1, 2, 1500)+text, exitFine, "rules", "backtest", "failures", "--file", "-", "--rules", longer, "--against", old)
	if !strings.Contains(out, "changed 1, same 3") || !strings.Contains(out, "was 3 events (2026-05-04") {
		t.Errorf("of a longer window:\n%s", out)
	}
}

func TestDayChart(t *testing.T) {
	of := func(days ...int) []time.Time {
		var list []time.Time
		for _, d := range days {
			list = append(list, monday.AddDate(0, 0, d))
		}
		return list
	}
	for _, c := range []struct {
		name       string
		times      []time.Time
		days       int
		bars, said string
	}{
		{"a day", of(0), 0, "█", "2026-05-04 – 2026-05-04, a column for each day, at most 1 (2026-05-04)"},
		{"none", nil, 2, "···", "2026-05-04 – 2026-05-06, a column for each day"},
		{"several", of(0, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3), 4, "▁·█▄·", "2026-05-04 – 2026-05-08, a column for each day, at most 8 (2026-05-06)"},
		{"many days", of(0, 1, 119), 119, "█" + strings.Repeat("·", 58) + "▄", "2026-05-04 – 2026-08-31, a column for each 2 days, at most 2 (2026-05-04)"},
		{"begun before", of(-3, 1), 1, "██", "2026-05-04 – 2026-05-05, a column for each day, at most 1 (2026-05-04)"},
	} {
		bars, said := dayChart(c.times, monday, monday.AddDate(0, 0, c.days))
		if bars != c.bars || said != c.said {
			t.Errorf("%s:\n got %s %s\nwant %s %s", c.name, bars, said, c.bars, c.said)
		}
	}
}

func TestProgressText(t *testing.T) {
	in := &backtestInput{total: 200}
	in.done.Store(50)
	in.records.Store(3000)
	if got, want := progressText(in, 2*time.Second), "███████░░░░░░░░░░░░░░░░░░░░░░░  25%  3,000 events, 1,500/s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	in.total = 0
	if got, want := progressText(in, 2*time.Second), "3,000 events, 1,500/s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var screen output
	b := &progress{w: &screen, on: true, input: in}
	b.start()
	b.draw()
	b.line("something")
	b.stop()
	if got := screen.String(); !strings.Contains(got, "events, ") || !strings.Contains(got, "\r\x1b[Ksomething\n") {
		t.Errorf("got %q", got)
	}
	// A file that is no terminal is left alone.
	if f, err := os.Create(filepath.Join(t.TempDir(), "x")); err != nil || isTerminal(f) || isTerminal(&screen) {
		t.Errorf("that is no terminal (%v)", err)
	}
}

// endless is a file that never ends; something happens when it is read.
type endless struct{ then func() }

func (e endless) Read(p []byte) (int, error) {
	e.then()
	return copy(p, strings.Repeat("\n", len(p))), nil
}

// Who interrupts a backtest is not told half of it.
func TestBacktestInterrupted(t *testing.T) {
	p, out, errs := testProgram(t)
	ctx, cancel := context.WithCancel(t.Context())
	p.in = endless{cancel}
	if code := p.run(ctx, []string{"rules", "backtest", "--file", "-"}); code != exitProblems {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(errs.String(), "interrupted") || out.String() != "" {
		t.Errorf("got %s%s", out, errs)
	}
}
