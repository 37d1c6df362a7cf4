package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"watchword/bus"
	"watchword/pollers"
	"watchword/rules"
)

// runCmd is the verb run.
type runCmd struct {
	Listen string `placeholder:"HOST:PORT" help:"Let ordinary NATS clients connect here, as in 127.0.0.1:4222."`
	Demo   bool   `help:"Watch a simulated account, as the verb demo does."`
}

func (c *runCmd) Run(p *program) error {
	if c.Listen != "" {
		p.flags["listen"] = c.Listen
	}
	if c.Demo {
		return (&demoCmd{}).Run(p)
	}
	cfg, err := p.config()
	if err != nil {
		return err
	}
	if len(cfg.Sources) == 0 {
		return fmt.Errorf("%w: no sources: set %s, or name them in %s (see watchword.example.yaml); `watchword demo` shows Watchword without an account",
			errConfig, onlyTokenVariable, defaultFile)
	}
	var sources []pollers.Source
	for _, s := range cfg.Sources {
		sources = append(sources, s.poller())
	}
	return p.watch(p.ctx, cfg, cfg.bus(), sources)
}

// watch runs the engine over these sources until ctx ends.
func (p *program) watch(ctx context.Context, cfg *Config, bc bus.Config, sources []pollers.Source) error {
	set, err := p.loadRules(cfg)
	if err != nil {
		return err
	}
	a, err := newApp(ctx, appConfig{
		bus: bc, sources: sources, rules: set, out: p.out, log: cfg.logger(p.err), now: p.now, json: p.JSON, colour: paint(p.colour),
	})
	if err != nil {
		return err
	}
	words := p.out
	if p.JSON {
		words = p.err
	}
	p.introduce(words, cfg, bc, a, set, sources)
	err = errors.Join(a.run(ctx), a.close())
	fmt.Fprintln(words, "stopped")
	return err
}

// loadRules loads the configured rules. Warnings are shown, errors refuse all.
func (p *program) loadRules(cfg *Config) (*rules.Set, error) {
	list, err := folders(cfg.Rules.Builtin, cfg.Rules.Folders)
	if err != nil {
		return nil, err
	}
	set, problems := rules.Load(list...)
	if len(problems) > 0 {
		fmt.Fprintln(p.err, plainText(problems.Error()))
	}
	if problems.HasErrors() {
		return nil, fmt.Errorf("%w: the rules above have mistakes", errConfig)
	}
	if len(set.Rules()) == 0 {
		return nil, fmt.Errorf("%w: no rules: set rules.builtin, or rules.folders to folders of .expr files", errConfig)
	}
	return set, nil
}

// introduce says where everything is.
func (p *program) introduce(w io.Writer, cfg *Config, bc bus.Config, a *app, set *rules.Set, sources []pollers.Source) {
	where := "store    " + plain(bc.Store)
	if bc.URL != "" {
		where = "server   " + plain(withoutPassword(bc.URL))
	}
	fmt.Fprintln(w, where)
	self := os.Args[0]
	flags := ""
	switch {
	case bc.URL != "":
		flags = " --nats " + withoutPassword(bc.URL)
	case bc.Store != cfg.Store || cfg.from["store"] == "--store":
		flags = " --store " + bc.Store
	}
	if addr := a.bus.Addr(); addr != "" && bc.URL == "" {
		fmt.Fprintf(w, "clients  %s, as in: nats -s %s sub 'alerts.>'\n", plain(addr), plain(addr))
	}
	fmt.Fprintf(w, "ask      in another terminal: %s%s alerts list\n", self, plain(flags))
	for _, s := range sources {
		state := "off"
		if s.Enabled {
			state = strings.Join(feedNames(s), ", ")
		}
		fmt.Fprintf(w, "source   %s: %s\n", plain(s.Name), state)
	}
	running := 0
	for _, r := range set.Rules() {
		if r.Status != rules.Disabled {
			running++
		}
	}
	fmt.Fprintf(w, "rules    %s, looking back %s at most\n", number(running), span(set.Reach()))
}

func feedNames(s pollers.Source) []string {
	var names []string
	for _, f := range feedsOf(s) {
		names = append(names, string(f))
	}
	return names
}
