package pollers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/thejerf/suture/v4"

	"watchword/pollers/onepassword"
)

// Config of Pollers.
type Config struct {
	// Bus is where events go; *bus.Bus.
	Bus stream
	// Sources to read; their names are unique.
	Sources []Source
	// Reach is how far back the rules look at most; a first contact reads at
	// least that far, as far as the API goes.
	Reach time.Duration
	// Logger; nil: slog.Default.
	Logger *slog.Logger
	// Now is the clock that events are compared with; nil: time.Now. Waiting
	// is always by the machine's clock.
	Now func() time.Time

	// RetryFirst, RetryMost: the first and the longest wait after a failure
	// that may pass; 0: 1 s and 5 min.
	RetryFirst, RetryMost time.Duration
	// RetrySlow: the wait after a failure that a person has to mend; 0: 5 min.
	// A new token is noticed within the source's interval all the same.
	RetrySlow time.Duration
	// RequestTimeout of one request, its answer included; 0: 60 s.
	RequestTimeout time.Duration
	// PerMinute, PerHour: requests per token; 0: a little under what 1Password allows.
	PerMinute, PerHour int
	// Transport of the requests; nil: one per source, with few connections.
	Transport http.RoundTripper
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&c.RetryFirst, time.Second)
	def(&c.RetryMost, 5*time.Minute)
	def(&c.RetrySlow, 5*time.Minute)
	def(&c.RequestTimeout, time.Minute)
	if c.PerMinute == 0 {
		c.PerMinute = defaultPerMinute
	}
	if c.PerHour == 0 {
		c.PerHour = defaultPerHour
	}
	return c
}

func (c Config) transportFor() http.RoundTripper {
	if c.Transport != nil {
		return c.Transport
	}
	return onepassword.NewTransport()
}

// backoff makes the waits of one feed: growing, with jitter, without end.
func (c Config) backoff() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(c.RetryFirst),
		backoff.WithMaxInterval(c.RetryMost),
		backoff.WithMultiplier(2),
		backoff.WithMaxElapsedTime(0),
	)
}

// Pollers reads the feeds of all sources.
type Pollers struct {
	config Config
	feeds  []*feed // of the enabled sources
	all    []*feed // the disabled ones too, for the status
}

// New checks the sources and makes an actor for each feed. Nothing is read or
// written before Serve.
func New(c Config) (*Pollers, error) {
	c = c.withDefaults()
	if c.Bus == nil {
		return nil, errors.New("pollers: no bus")
	}
	if err := ValidateSources(c.Sources); err != nil {
		return nil, err
	}
	p := &Pollers{config: c}
	for _, s := range c.Sources {
		a := newAccount(s, c)
		for _, name := range s.feeds() {
			stagger := time.Duration(len(p.feeds)) * spread
			f := newFeed(s, name, a, c, min(stagger, s.interval()))
			p.all = append(p.all, f)
			if s.Enabled {
				p.feeds = append(p.feeds, f)
			} else {
				f.show("disabled in the configuration")
			}
		}
	}
	return p, nil
}

// spread is the time between the starts of two feeds.
const spread = 100 * time.Millisecond

// Serve runs the feeds until ctx ends. A feed that fails is started again; the
// others do not notice.
func (p *Pollers) Serve(ctx context.Context) error {
	tree := suture.New("pollers", suture.Spec{
		FailureBackoff: p.config.RetryMost / 10,
		EventHook: func(e suture.Event) {
			switch e := e.(type) {
			case suture.EventServicePanic:
				p.config.Logger.Error("a feed failed and is started again", "feed", e.ServiceName, "err", e.PanicMsg, "at", e.Stacktrace)
			case suture.EventServiceTerminate:
				p.config.Logger.Error("a feed ended and is started again", "feed", e.ServiceName, "err", e.Err)
			default:
				p.config.Logger.Warn("pollers", "supervisor", e.String())
			}
		},
	})
	for _, f := range p.feeds {
		tree.Add(f)
	}
	return tree.Serve(ctx)
}

// Sync makes all feeds of the source poll now, waits after failures included.
func (p *Pollers) Sync(source string) error {
	found := false
	for _, f := range p.feeds {
		if f.source.Name == source {
			f.sync()
			found = true
		}
	}
	if !found {
		return fmt.Errorf("sync: no enabled source is named %q", source)
	}
	return nil
}

// Status is how every feed stands, in the order of the sources.
func (p *Pollers) Status() []FeedStatus {
	now := p.config.Now()
	out := make([]FeedStatus, len(p.all))
	for i, f := range p.all {
		out[i] = f.status(now)
	}
	return out
}
