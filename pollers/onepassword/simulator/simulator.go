package simulator

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"watchword/bus/event"
)

// Config says what a simulator serves and how. Everything is optional.
type Config struct {
	// Worlds are the accounts; tokens say which one a request is about.
	Worlds []*World
	// Clock is the simulated time; the machine's clock if nil.
	Clock Clock
	// Options are the choices where the real API's behaviour is unknown.
	Options Options
	// Faults go wrong by chance; see Simulator.Fail for faults on request.
	Faults Faults
	// Live lets the worlds go on after their prepared history; nil: they end.
	Live *Live
	// Host is what tokens name as the API's host; DefaultHost if empty.
	Host string
	// Seed makes the key that signs tokens; that of the first world if zero.
	Seed uint64
	// Logger gets a debug line for each request; nothing is logged if nil.
	Logger *slog.Logger
}

// Simulator is a 1Password Events API: an http.Handler over one or more worlds.
type Simulator struct {
	worlds  []*World
	clock   Clock
	options Options
	logger  *slog.Logger
	mint    *mint
	limits  *limits
	faults  *faultDesk
	routes  *http.ServeMux
	tally   *tally
	live    *liveState
}

// New makes a simulator. It starts nothing: use it as a handler, or Serve it.
func New(cfg Config) *Simulator {
	if cfg.Clock == nil {
		cfg.Clock = WallClock()
	}
	if cfg.Host == "" {
		cfg.Host = DefaultHost
	}
	if cfg.Seed == 0 && len(cfg.Worlds) > 0 {
		cfg.Seed = cfg.Worlds[0].seed
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Simulator{
		worlds: cfg.Worlds, clock: cfg.Clock, options: cfg.Options, logger: cfg.Logger,
		mint:   newMint(cfg.Seed, cfg.Host, cfg.Clock),
		limits: newLimits(cfg.Options),
		faults: newFaultDesk(cfg.Faults),
		tally:  newTally(),
	}
	if cfg.Live != nil {
		s.live = newLiveState(*cfg.Live)
		s.goOn()
	}
	s.routes = s.route()
	return s
}

// Now is the simulated time.
func (s *Simulator) Now() time.Time { return s.clock.Now() }

// Worlds are the accounts served.
func (s *Simulator) Worlds() []*World { return slices.Clone(s.worlds) }

// Token makes a token for the account (uuid) that never expires, good for the
// features named, for all three feeds if none is. It panics for an account that
// is not served.
func (s *Simulator) Token(account string, features ...event.Feed) string {
	token, err := s.Mint(TokenRequest{Account: account, Features: features})
	if err != nil {
		panic("simulator: " + err.Error())
	}
	return token
}

// Mint makes a token. It refuses accounts that are not served and unknown features.
func (s *Simulator) Mint(request TokenRequest) (string, error) {
	if s.world(request.Account) == nil {
		return "", fmt.Errorf("token: account %q is not served", request.Account)
	}
	for _, f := range request.Features {
		if feedNumber(f) < 0 {
			return "", fmt.Errorf("token: feature %q is none; there are %v", f, event.Feeds)
		}
	}
	return s.mint.token(request)
}

// Revoke makes a token invalid from now on.
func (s *Simulator) Revoke(token string) error { return s.mint.revoke(token) }

// Rotate makes a token for the same account and features, and revokes the old
// one. Cursors stay good.
func (s *Simulator) Rotate(token string) (string, error) {
	c, err := s.mint.check("Bearer " + token)
	if err != nil {
		return "", fmt.Errorf("rotate: %w", err)
	}
	request := TokenRequest{Account: c.Account}
	for _, f := range c.Features {
		request.Features = append(request.Features, event.Feed(f))
	}
	fresh, err := s.mint.token(request)
	if err != nil {
		return "", fmt.Errorf("rotate: %w", err)
	}
	return fresh, s.mint.revoke(token)
}

// Fail asks for a fault. Several may wait; the first that concerns a request
// hits it.
func (s *Simulator) Fail(f Fault) error { return s.faults.add(f) }

// ClearFaults takes back every fault asked for and those by chance.
func (s *Simulator) ClearFaults() { s.faults.clear() }

// Expected lists the alerts that all stories told so far must raise, by the
// time of their first event.
func (s *Simulator) Expected() []Expected {
	var all []Expected
	for _, w := range s.worlds {
		all = append(all, w.Expected()...)
	}
	slices.SortStableFunc(all, func(a, b Expected) int { return a.First.Compare(b.First) })
	return all
}

// Inject tells a story of the kind in the account (uuid; empty: the first),
// beginning now, quickly. It returns the story's name.
func (s *Simulator) Inject(kind, account string) (string, error) {
	if len(s.worlds) == 0 {
		return "", errors.New("inject: no account is served")
	}
	w := s.worlds[0]
	if account != "" {
		if w = s.world(account); w == nil {
			return "", fmt.Errorf("inject: account %q is not served", account)
		}
	}
	now := s.clock.Now()
	partners := slices.DeleteFunc(slices.Clone(s.worlds), func(o *World) bool { return o == w })
	name, err := w.tell(kind, partners, told{at: now.Add(100 * time.Millisecond), until: now.Add(day), live: true, now: now})
	if err != nil {
		return "", fmt.Errorf("inject: %w", err)
	}
	return name, nil
}

func (s *Simulator) world(account string) *World {
	for _, w := range s.worlds {
		if w.account == account {
			return w
		}
	}
	return nil
}

// tally counts answers for the control interface.
type tally struct {
	mu       sync.Mutex
	requests map[string]map[int]int // by path, then status
	records  map[string]int         // by feed
}

func newTally() *tally {
	return &tally{requests: map[string]map[int]int{}, records: map[string]int{}}
}

func (t *tally) request(path string, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.requests[path] == nil {
		t.requests[path] = map[int]int{}
	}
	t.requests[path][status]++
}

func (t *tally) returned(feed string, records int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records[feed] += records
}
