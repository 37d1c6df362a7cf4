package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"watchword/bus"
	"watchword/pollers"
	"watchword/pollers/onepassword"
	"watchword/pollers/onepassword/simulator"
)

// demoCmd is the verb demo: the whole engine against simulated accounts, in
// one process.
type demoCmd struct {
	Seed  uint64        `default:"1" help:"Of the simulated world."`
	Every time.Duration `default:"15s" help:"How often an attack begins."`
}

// The demo's world: small enough to be read within seconds.
const (
	demoAccounts = 2
	demoPeople   = 60
	demoDays     = 3
	demoInterval = 2 * time.Second // between two polls of a feed
)

func (c *demoCmd) Run(p *program) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	if cfg.NATS.URL != "" {
		return fmt.Errorf("%w: the demo keeps its simulated events in a store of its own; take nats.url away", errConfig)
	}
	bc := cfg.bus()
	bc.Store = cfg.Store + "-demo"
	bc.Logger = cfg.logger(p.err)
	if err := beginDemo(p.ctx, bc); err != nil {
		return err
	}
	sim := simulator.New(simulator.Config{
		Worlds: simulator.NewWorlds(simulator.WorldConfig{
			Seed: c.Seed, People: demoPeople, Days: demoDays, Start: p.now().AddDate(0, 0, 1-demoDays),
		}, demoAccounts),
		Live: &simulator.Live{Every: c.Every, First: 2 * time.Second},
	})
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	base, served, err := serveInBackground(ctx, sim)
	if err != nil {
		return err
	}
	sources, err := demoSources(sim, base)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.err, "demo     simulated 1Password accounts at %s: %d days of history, then an attack every %s\n", base, demoDays, c.Every)
	err = p.watch(ctx, cfg, bc, sources)
	cancel()
	return errors.Join(err, <-served)
}

// demoMark is the file that tells a demo's store from one that matters.
const demoMark = "demo"

// beginDemo makes the demo's store anew: every run has another history, and
// two of them in one store would tell a story nobody can follow. An older store
// is only removed when a demo made it and nobody holds it.
func beginDemo(ctx context.Context, bc bus.Config) error {
	mark := filepath.Join(bc.Store, demoMark)
	if _, err := os.Stat(bc.Store); err == nil {
		if _, err := os.Stat(mark); err != nil {
			return fmt.Errorf("demo: %s is there and was not made by a demo: move it away, or choose another --store", bc.Store)
		}
		if err := openAndClose(ctx, bc); err != nil {
			return fmt.Errorf("demo: the store of the last demo cannot be removed: %w", err)
		}
		if err := os.RemoveAll(bc.Store); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	if err := openAndClose(ctx, bc); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := os.WriteFile(mark, []byte("Every demo removes this directory and begins anew.\n"), 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// openAndClose makes sure that the store is there and that nobody holds it.
func openAndClose(ctx context.Context, bc bus.Config) error {
	b, err := bus.Open(ctx, bc)
	if err != nil {
		return err
	}
	return b.Close()
}

// demoSources is a source for each simulated account.
func demoSources(sim *simulator.Simulator, base string) ([]pollers.Source, error) {
	var list []pollers.Source
	for _, w := range sim.Worlds() {
		token, err := onepassword.ParseToken(sim.Token(w.Account()))
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		list = append(list, pollers.Source{
			Name: w.Name(), URL: base, Token: onepassword.Fixed("the simulator", token), Interval: demoInterval,
			Start: pollers.Start{Back: (demoDays + 1) * day}, Enabled: true,
		})
	}
	return list, nil
}
