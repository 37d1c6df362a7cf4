package main

type alertsFollowCmd struct{ alertFilter }

// Run prints what comes until the program is interrupted.
func (c *alertsFollowCmd) Run(p *program) error {
	if err := c.check(p.now()); err != nil {
		return err
	}
	b, cfg, err := p.openToRead()
	if err != nil {
		return err
	}
	defer b.Close()
	f := &follower{
		bus: b, log: cfg.logger(p.err), screen: &screen{w: p.out}, now: p.now,
		colour: paint(p.colour), json: p.JSON, summary: !p.JSON, match: c.match,
	}
	return f.Serve(p.ctx)
}
