package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"watchword/pollers/onepassword/simulator"
)

// simulateCmd is the verb simulate.
type simulateCmd struct {
	Listen   string             `default:"127.0.0.1:8780" placeholder:"HOST:PORT" help:"Where to serve (${default})."`
	Seed     uint64             `default:"1" help:"The same seed and dates make the same world, byte for byte."`
	Accounts int                `default:"1" help:"How many accounts are served."`
	People   int                `default:"200" help:"How many people work in each."`
	Days     int                `default:"30" help:"Length of the history in days."`
	Start    string             `placeholder:"DATE" help:"First day of the history; default: so that it ends today."`
	Speed    float64            `default:"1" help:"Simulated seconds a second. Above 1 the clock begins with the history and runs until it has caught up."`
	Live     bool               `default:"true" negatable:"" help:"Go on after the history, a story again and again."`
	Every    time.Duration      `default:"20s" help:"How often a story begins when live."`
	Late     bool               `help:"Let some item usages arrive late."`
	Fault    map[string]float64 `placeholder:"KIND=RATE" help:"Faults by chance, as in --fault=server-error=0.01: ${faults}."`
	Quirk    []string           `placeholder:"NAME" help:"Behaviour that is not documented: ${quirks}."`
	Expected bool               `help:"Print the alerts the stories must raise, one JSON object a line, and stop."`
	Tokens   string             `placeholder:"DIR" help:"Where the tokens are written, a file for each account (default: the store's name with -simulator)."`
}

// quirks are the switches of the simulator, by name.
var quirks = map[string]func(*simulator.Options){
	"missing-feature-403": func(o *simulator.Options) { o.MissingFeature = 403 },
	"retry-after":         func(o *simulator.Options) { o.RetryAfter = true },
	"rate-limit-headers":  func(o *simulator.Options) { o.RateLimitHeaders = true },
	"bad-cursor-resets":   func(o *simulator.Options) { o.BadCursorResets = true },
	"exclusive-start":     func(o *simulator.Options) { o.ExclusiveStart = true },
	"late-behind-cursor":  func(o *simulator.Options) { o.LateBehindCursor = true },
	"no-v2":               func(o *simulator.Options) { o.NoV2 = true },
	"limit-per-token":     func(o *simulator.Options) { o.LimitPerToken = true },
}

func (c *simulateCmd) Run(p *program) error {
	sim, err := c.build(p)
	if err != nil {
		return wrongUse{err}
	}
	if c.Expected {
		return printJSON(p.out, sim.Expected()...)
	}
	dir := c.Tokens
	if dir == "" {
		cfg, err := p.config()
		if err != nil {
			return err
		}
		dir = cfg.Store + "-simulator"
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	base := "http://" + listener.Addr().String()
	fmt.Fprintf(p.out, "serving  %s\n", base)
	for _, w := range sim.Worlds() {
		file, err := writeToken(dir, w.Name(), sim.Token(w.Account()))
		if err != nil {
			listener.Close()
			return err
		}
		fmt.Fprintf(p.out, "account  %s, %s, token in %s\n", w.Name(), w.Account(), plain(file))
	}
	return sim.Serve(p.ctx, listener)
}

// build makes the simulator the flags ask for.
func (c *simulateCmd) build(p *program) (*simulator.Simulator, error) {
	if c.Accounts < 1 || c.Accounts > simulator.MaxAccounts || c.People < 1 || c.Days < 1 || c.Speed <= 0 {
		return nil, fmt.Errorf("--accounts, --people, --days and --speed must be above 0, and accounts at most %d", simulator.MaxAccounts)
	}
	start := p.now().AddDate(0, 0, -c.Days)
	if c.Start != "" {
		var err error
		if start, err = time.Parse(time.DateOnly, c.Start); err != nil {
			return nil, fmt.Errorf("--start: %q: want a date such as 2026-05-04", c.Start)
		}
	}
	cfg := simulator.Config{Seed: c.Seed, Logger: slog.New(slog.NewTextHandler(p.err, nil))}
	known := faultNames()
	for kind, rate := range c.Fault {
		if !slices.Contains(known, kind) || rate < 0 || rate > 1 {
			return nil, fmt.Errorf("--fault: %s=%g: want a rate from 0 to 1 of one of %s%s", kind, rate, strings.Join(known, ", "), didYouMean(kind, known))
		}
		if cfg.Faults.Rates == nil {
			cfg.Faults = simulator.Faults{Seed: c.Seed, Rates: map[simulator.FaultKind]float64{}}
		}
		cfg.Faults.Rates[simulator.FaultKind(kind)] = rate
	}
	for _, name := range c.Quirk {
		set, ok := quirks[name]
		if !ok {
			return nil, fmt.Errorf("--quirk: %q: want some of %s", name, quirkNames())
		}
		set(&cfg.Options)
	}
	worlds := simulator.NewWorlds(simulator.WorldConfig{
		Seed: c.Seed, People: c.People, Days: c.Days, Start: start, LateItemUsages: c.Late,
	}, c.Accounts)
	cfg.Worlds = worlds
	if c.Live {
		cfg.Live = &simulator.Live{Every: c.Every}
	}
	if c.Speed != 1 {
		cfg.Clock = simulator.NewFastClock(worlds[0].Start(), c.Speed, false)
	}
	return simulator.New(cfg), nil
}

func quirkNames() string { return strings.Join(slices.Sorted(maps.Keys(quirks)), ", ") }

func faultNames() []string {
	var names []string
	for _, k := range simulator.FaultKinds() {
		names = append(names, string(k))
	}
	return names
}

// writeToken writes a token where only its owner can read it.
func writeToken(dir, name, token string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	file := filepath.Join(dir, name+".token")
	// An older file keeps its mode when it is written to, so it goes first.
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("write token: %w", err)
	}
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	return file, nil
}

// serveInBackground serves a simulator on a port of its own until ctx ends,
// and returns its base URL and what to wait for.
func serveInBackground(ctx context.Context, sim *simulator.Simulator) (string, <-chan error, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("simulate: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- sim.Serve(ctx, listener) }()
	return "http://" + listener.Addr().String(), done, nil
}
