package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/bus/event"
	"watchword/pollers"
	"watchword/pollers/onepassword"
	"watchword/pollers/onepassword/simulator"
	"watchword/pollers/onepassword/simulator/simulatortest"
	"watchword/rules"
	"watchword/rules/builtin"
)

// proof is what a process of the engine under proof is told.
type proof struct {
	Store   string
	Clock   fastClock
	Sources []proofSource
}

type proofSource struct{ Name, URL, Token string }

// proofKey is the environment variable that makes the test binary an engine.
const proofKey = "WATCHWORD_TEST_PROOF"

func TestMain(m *testing.M) {
	if told := os.Getenv(proofKey); told != "" {
		if err := serveProof(told); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitProblems)
		}
		os.Exit(exitFine)
	}
	os.Exit(m.Run())
}

// fastClock is a clock that every process reads the same: it begins with a
// time of the past and runs faster than the machine's, which it never passes.
type fastClock struct {
	Began  time.Time // by the machine's clock
	From   time.Time
	Factor float64
}

func (c fastClock) Now() time.Time {
	wall := time.Now().UTC()
	now := c.From.Add(time.Duration(float64(wall.Sub(c.Began)) * c.Factor))
	if now.After(wall) {
		return wall
	}
	return now
}

// serveProof is the engine with its own wiring, on a fast clock and with
// waits to match.
func serveProof(told string) error {
	var p proof
	if err := json.Unmarshal([]byte(told), &p); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	set, problems := rules.Load(rules.Folder{Name: "builtin", FS: builtin.FS})
	if problems.HasErrors() {
		return problems
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	c := appConfig{
		bus: bus.Config{Store: p.Store, Logger: log}, rules: set, out: io.Discard, log: log, now: p.Clock.Now, json: true,
		tune: func(c *pollers.Config) {
			c.RetryFirst, c.RetryMost, c.RetrySlow = 20*time.Millisecond, 200*time.Millisecond, 100*time.Millisecond
			c.PerMinute, c.PerHour = 1_000_000, 10_000_000
		},
	}
	for _, s := range p.Sources {
		token, err := onepassword.ParseToken(s.Token)
		if err != nil {
			return err
		}
		c.sources = append(c.sources, pollers.Source{
			Name: s.Name, URL: s.URL, Token: onepassword.Fixed("the proof", token), Interval: 100 * time.Millisecond, Enabled: true,
		})
	}
	a, err := newApp(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(a.run(ctx), a.close())
}

// Over a whole world, delivered with late item usages and every fault the API
// can have, to an engine that is killed ten times on the way: EVENTS holds each
// event exactly once, and each story's alert is there exactly once, and none else.
//
// WATCHWORD_LONG=1 takes two accounts of 120 people over 30 days.
func TestNothingIsLostOrDoubled(t *testing.T) {
	world := simulator.WorldConfig{Seed: 7, People: 25, Days: 8, LateItemUsages: true}
	runs, longest := 30*time.Second, 60*time.Second
	if os.Getenv("WATCHWORD_LONG") != "" {
		world.People, world.Days = 120, 30
		runs, longest = 2*time.Minute, 4*time.Minute
	}
	const after = 7 // days for what comes late
	world.Start = time.Now().UTC().AddDate(0, 0, -world.Days-after-1)
	span := time.Duration(world.Days+after) * 24 * time.Hour
	clock := fastClock{
		Began: time.Now().UTC(), From: world.Start.Truncate(24 * time.Hour).Add(36 * time.Hour), // so that there is a backfill
		Factor: float64(span) / float64(runs),
	}
	rates := map[simulator.FaultKind]float64{}
	for _, kind := range simulator.FaultKinds() {
		rates[kind] = 0.01
	}
	rates[simulator.FaultOversized], rates[simulator.FaultSlow] = 0.002, 0.005
	sim := simulatortest.Start(t, simulator.Config{
		Worlds: simulator.NewWorlds(world, 2), Clock: clock, Options: simulator.Options{PerMinute: -1, PerHour: -1},
		Faults: simulator.Faults{Seed: 7, Rates: rates, Each: simulator.Fault{Delay: 100 * time.Millisecond, Size: 600 << 10}},
	})
	told := proof{Store: filepath.Join(t.TempDir(), "store"), Clock: clock}
	for _, w := range sim.Worlds() {
		told.Sources = append(told.Sources, proofSource{Name: w.Name(), URL: sim.URL, Token: sim.Token(w.Account())})
	}
	errs := &output{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the engine's log ends with\n%s", tail(errs.String(), 60))
		}
	})

	dice := rand.New(rand.NewPCG(world.Seed, 10))
	for range 10 {
		engine := startProof(t, told, errs)
		time.Sleep(runs/30 + time.Duration(dice.Int64N(int64(runs/30)))) // the life of this engine, not a wait for anything
		if err := engine.Process.Kill(); err != nil {
			t.Fatalf("the engine did not live to be killed: %v", err)
		}
		_ = engine.Wait() // says that it was killed
	}
	engine := startProof(t, told, errs)
	deadline := time.Now().Add(longest)
	want := expected(sim)
	var wrong string
	for wrong = "not looked at yet"; wrong != "" && time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		wrong = lookAt(t, told.Store, sim, want, false)
	}
	if err := engine.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := engine.Wait(); err != nil {
		t.Errorf("the engine did not stop gracefully: %v", err)
	}
	if wrong = lookAt(t, told.Store, sim, want, true); wrong != "" {
		t.Fatal(wrong)
	}
	t.Logf("%d alerts of %d stories, none else", len(want), len(sim.Expected()))
}

func startProof(t *testing.T, told proof, errs *output) *exec.Cmd {
	t.Helper()
	data, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0], "-test.run=^$")
	c.Env = append(os.Environ(), proofKey+"="+string(data))
	c.Stderr = errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}

// expected is what the live alerts must be, as seenAlert puts them.
func expected(sim *simulatortest.Server) []string {
	names := map[string]string{}
	for _, w := range sim.Worlds() {
		names[w.Account()] = w.Name()
	}
	var out []string
	for _, e := range sim.Expected() {
		source := ""
		if len(e.Accounts) == 1 {
			source = names[e.Accounts[0]]
		}
		out = append(out, told(e.Rule, source, e.Key, e.First, e.Last, len(e.Events), e.Events))
	}
	sort.Strings(out)
	return out
}

func told(rule, source string, key []string, first, last time.Time, count int, uuids []string) string {
	uuids = slices.Clone(uuids)
	sort.Strings(uuids)
	if count > alert.MaxEvidence {
		uuids = nil // the alert lists the newest only
	}
	return fmt.Sprintf("%s %s%v %s – %s %d %v", rule, source, key, first.Format(time.RFC3339Nano), last.Format(time.RFC3339Nano), count, uuids)
}

// lookAt compares what is stored with what must be, and says what is wrong.
// Unless it is the last look, counts decide whether events are read at all.
func lookAt(t *testing.T, store string, sim *simulatortest.Server, want []string, last bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b, err := bus.Open(ctx, bus.Config{Store: store, ReadOnly: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err.Error()
	}
	defer b.Close()
	if !last {
		if wrong := countEvents(ctx, b, sim); wrong != "" {
			return wrong
		}
		return compareAlerts(ctx, b, want)
	}
	return strings.Join(slices.DeleteFunc([]string{compareEvents(ctx, b, sim), compareAlerts(ctx, b, want)}, func(s string) bool { return s == "" }), "\n")
}

// countEvents compares the counts of the markers with the worlds.
func countEvents(ctx context.Context, b *bus.Bus, sim *simulatortest.Server) string {
	stored, err := b.LastPerSubject(ctx, bus.Events, bus.AllProgress)
	if err != nil {
		return err.Error()
	}
	have := 0
	for _, m := range stored {
		p, err := event.DecodeProgress(m.Data)
		if err != nil {
			return err.Error()
		}
		have += int(p.Counts.Events)
	}
	need := 0
	for _, w := range sim.Worlds() {
		for _, feed := range event.Feeds {
			need += w.Count(feed)
		}
	}
	if have != need {
		return fmt.Sprintf("%d events are counted, want %d", have, need)
	}
	return ""
}

func compareEvents(ctx context.Context, b *bus.Bus, sim *simulatortest.Server) string {
	times := map[string]int{}
	err := eachStored(ctx, b, bus.Events, bus.AllEvents, func(m bus.Stored) error {
		e, err := event.Decode(m.Data)
		times[e.ID]++
		return err
	})
	if err != nil {
		return err.Error()
	}
	var wrong []string
	total := 0
	for _, w := range sim.Worlds() {
		for _, feed := range event.Feeds {
			w.Records(feed, func(r simulator.Record) bool {
				total++
				id := event.ID(w.Name(), feed, r.UUID)
				if n := times[id]; n != 1 {
					wrong = append(wrong, fmt.Sprintf("event %s of %s, available %s, is stored %d times", id, r.Time, r.Available, n))
				}
				delete(times, id)
				return len(wrong) < 20
			})
		}
	}
	for id := range times {
		wrong = append(wrong, "event "+id+" is stored and never was")
	}
	if len(wrong) == 0 {
		return ""
	}
	return fmt.Sprintf("of %d events:\n%s", total, strings.Join(wrong, "\n"))
}

func compareAlerts(ctx context.Context, b *bus.Bus, want []string) string {
	newest := map[string]alert.Alert{}
	err := eachStored(ctx, b, bus.Alerts, bus.AllAlerts, func(m bus.Stored) error {
		a, err := alert.Decode(m.Data)
		if err != nil {
			return err
		}
		if a.Revision <= newest[a.ID].Revision { // of the updates only the newest is kept
			return fmt.Errorf("alert %s: revision %d comes after %d", a.ID, a.Revision, newest[a.ID].Revision)
		}
		newest[a.ID] = a
		return nil
	})
	if err != nil {
		return err.Error()
	}
	var have []string
	for _, a := range newest {
		if !a.Status.Live() {
			continue
		}
		var uuids []string
		for _, e := range a.Evidence {
			uuids = append(uuids, e.ID[strings.LastIndexByte(e.ID, '/')+1:])
		}
		have = append(have, told(a.Rule, a.Source, a.Key, a.First, a.Last, a.Count, uuids))
	}
	sort.Strings(have)
	if slices.Equal(have, want) {
		return ""
	}
	var diff strings.Builder
	fmt.Fprintf(&diff, "%d alerts, want %d", len(have), len(want))
	for _, s := range have {
		if !slices.Contains(want, s) {
			fmt.Fprintf(&diff, "\n  not expected: %s", s)
		}
	}
	for _, s := range want {
		if !slices.Contains(have, s) {
			fmt.Fprintf(&diff, "\n  missing:      %s", s)
		}
	}
	if diff.Len() < 40 {
		diff.WriteString("\n  an alert is there twice")
	}
	return diff.String()
}

// eachStored calls do for every message stored now that matches the filter.
func eachStored(ctx context.Context, b *bus.Bus, stream, filter string, do func(bus.Stored) error) error {
	return readStored(ctx, b, stream, bus.ReadOptions{Filters: []string{filter}}, func(m bus.Stored) (bool, error) {
		return true, do(m)
	})
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
