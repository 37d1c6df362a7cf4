package main

import (
	"fmt"
	"slices"

	"watchword/pollers"
)

type sourcesCheckCmd struct {
	Names []string `arg:"" optional:"" help:"Only these sources."`
}

// Run looks at each source from end to end and stores nothing. A check that
// fails makes the exit code 1.
func (c *sourcesCheckCmd) Run(p *program) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	var known []string
	for _, s := range cfg.Sources {
		known = append(known, s.Name)
	}
	for _, n := range c.Names {
		if !slices.Contains(known, n) {
			return wrongUse{fmt.Errorf("no source is named %q%s", n, didYouMean(n, known))}
		}
	}
	if len(known) == 0 {
		return fmt.Errorf("%w: no sources: set %s, or name them in %s", errConfig, onlyTokenVariable, defaultFile)
	}
	var found error
	for _, s := range cfg.Sources {
		if len(c.Names) > 0 && !slices.Contains(c.Names, s.Name) {
			continue
		}
		results := pollers.Check(p.ctx, s.poller(), p.now)
		if slices.ContainsFunc(results, func(r pollers.CheckResult) bool { return !r.OK }) {
			found = errFound
		}
		if p.JSON {
			if err := printJSON(p.out, results...); err != nil {
				return err
			}
			continue
		}
		rows := make([][]string, 0, len(results))
		for _, r := range results {
			mark := "ok"
			if !r.OK {
				mark = "FAILED"
			}
			rows = append(rows, []string{r.Source, mark, r.What, r.Says})
		}
		columns(p.out, rows)
	}
	return found
}
