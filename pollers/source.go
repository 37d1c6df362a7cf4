package pollers

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

// Source is one 1Password account: one token and the feeds to read with it.
type Source struct {
	// Name is part of every event's id and subject and never changes: [a-z0-9-]+.
	Name string
	// URL is the server's base URL; empty: the token says it.
	URL string
	// Region is one of onepassword.Regions; empty: the token says it.
	Region string
	// Token is where the token comes from.
	Token onepassword.TokenSource
	// Interval between two polls of a feed; 0: DefaultInterval.
	Interval time.Duration
	// Start is how far back the first contact reads; zero: the longer of 30
	// days and what the rules need. Later changes have no effect.
	Start Start
	// Feeds to read; empty: all.
	Feeds []event.Feed
	// Enabled sources are polled, the others only listed.
	Enabled bool
}

// Bounds of an interval.
const (
	DefaultInterval = time.Minute
	leastInterval   = time.Millisecond // tests and simulators; the rate limit guards the real API
	mostInterval    = 24 * time.Hour
)

// defaultStart is how far back a first contact reads unless more is wanted.
const defaultStart = 30 * 24 * time.Hour

var sourceName = regexp.MustCompile(`^[a-z0-9-]+$`)

// Validate says everything that is wrong with the source, each with key, value
// and what would be right.
func (s Source) Validate() error {
	var errs []error
	say := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("source %q: "+format, append([]any{s.Name}, args...)...))
	}
	if !sourceName.MatchString(s.Name) || len(s.Name) > 64 {
		say("name: use 1 to 64 of the characters a-z, 0-9 and -")
	}
	if s.URL != "" {
		if _, err := onepassword.CheckURL(s.URL); err != nil {
			say("%w", err)
		}
	}
	if s.Region != "" && !slices.Contains(onepassword.Regions, s.Region) {
		say("region: %q is not known; use one of %s, or leave it out: the token says it", s.Region, strings.Join(onepassword.Regions, ", "))
	}
	if s.URL != "" && s.Region != "" {
		say("region: %q and url: %q are both given; leave one out", s.Region, s.URL)
	}
	if s.Token == nil {
		say("token: none is configured; give a file, an environment variable or a command")
	}
	if s.Interval != 0 && (s.Interval < leastInterval || s.Interval > mostInterval) {
		say("interval: %s is out of range; use 1ms to 24h (1m is the default)", s.Interval)
	}
	for i, f := range s.Feeds {
		if f.Kind() == "" {
			say("feeds: %q is not known; use any of %s", f, joinFeeds(event.Feeds))
		}
		if slices.Contains(s.Feeds[:i], f) {
			say("feeds: %q is there twice", f)
		}
	}
	if err := s.Start.validate(); err != nil {
		say("start: %w", err)
	}
	return errors.Join(errs...)
}

// ValidateSources validates each source and that no name is there twice.
func ValidateSources(sources []Source) error {
	var errs []error
	seen := map[string]bool{}
	for _, s := range sources {
		errs = append(errs, s.Validate())
		if seen[s.Name] {
			errs = append(errs, fmt.Errorf("source %q: name: two sources have it; each needs its own", s.Name))
		}
		seen[s.Name] = true
	}
	return errors.Join(errs...)
}

func (s Source) interval() time.Duration {
	if s.Interval == 0 {
		return DefaultInterval
	}
	return s.Interval
}

func (s Source) feeds() []event.Feed {
	if len(s.Feeds) == 0 {
		return event.Feeds
	}
	return s.Feeds
}

func joinFeeds(feeds []event.Feed) string {
	names := make([]string, len(feeds))
	for i, f := range feeds {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// Start is where a first contact begins: a time, or a duration back from it.
// The zero Start leaves the choice to the poller.
type Start struct {
	At   time.Time
	Back time.Duration
}

// ParseStart reads "30d", "72h", "2026-03-01" or "2026-03-01T08:00:00Z".
func ParseStart(s string) (Start, error) {
	if s == "" {
		return Start{}, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100_000 {
			return Start{Back: time.Duration(n) * 24 * time.Hour}, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return Start{Back: d}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return Start{At: t.UTC()}, nil
		}
	}
	return Start{}, fmt.Errorf("%q is neither a duration nor a time; write 30d, 72h, 2026-03-01 or 2026-03-01T08:00:00Z", s)
}

// UnmarshalText is ParseStart.
func (s *Start) UnmarshalText(text []byte) error {
	var err error
	*s, err = ParseStart(string(text))
	return err
}

func (s Start) validate() error {
	switch {
	case s.Back < 0:
		return fmt.Errorf("%s lies in the future; give a positive duration", s.Back)
	case !s.At.IsZero() && s.Back != 0:
		return errors.New("a time and a duration are both given; leave one out")
	}
	return nil
}

// resolve is the time a first contact at now begins with. The API keeps no
// more than onepassword.History.
func (s Start) resolve(now time.Time, reach time.Duration) time.Time {
	oldest := now.Add(-onepassword.History)
	start := now.Add(-max(defaultStart, reach))
	if s.Back != 0 {
		start = now.Add(-s.Back)
	}
	if !s.At.IsZero() {
		start = s.At
	}
	if start.Before(oldest) {
		start = oldest
	}
	if start.After(now) {
		start = now
	}
	return start.UTC()
}
