package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"watchword/bus"
)

// bus is where the configuration says the streams are.
func (c *Config) bus() bus.Config {
	limits := bus.DefaultLimits()
	limits.EventsAge, limits.EventsBytes = c.Events.MaxAge, int64(c.Events.MaxBytes)
	limits.AlertsAge, limits.AlertsBytes = c.Alerts.MaxAge, int64(c.Alerts.MaxBytes)
	return bus.Config{Store: c.Store, Listen: c.Listen, URL: c.NATS.URL, Creds: c.NATS.Creds, Limits: limits}
}

// openToRead reaches the streams for a verb that only reads: through the
// process that holds the store, through a server, or by opening the store when
// nobody runs.
func (p *program) openToRead() (*bus.Bus, *Config, error) {
	c, err := p.config()
	if err != nil {
		return nil, nil, err
	}
	bc := c.bus()
	bc.ReadOnly, bc.Listen, bc.Name = true, "", "watchword read"
	bc.Logger = c.logger(p.err)
	b, err := bus.Open(p.ctx, bc)
	return b, c, err
}

// readBatch is how many messages are fetched from a stream at a time.
const readBatch = 500

// readStored calls yield for every message that is in the stream now and that
// the options select, in stream order, until yield returns false.
func readStored(ctx context.Context, b *bus.Bus, stream string, o bus.ReadOptions, yield func(bus.Stored) (bool, error)) error {
	info, err := b.Info(ctx, stream)
	if err != nil {
		return err
	}
	if info.LastSeq == 0 {
		return nil
	}
	o.Until = info.LastSeq
	r, err := b.Read(ctx, stream, o)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		batch, err := r.Next(ctx, readBatch)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		for _, m := range batch {
			more, err := yield(m)
			if err != nil || !more {
				return err
			}
		}
	}
}
