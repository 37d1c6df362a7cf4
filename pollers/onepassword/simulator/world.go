package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"watchword/bus/event"
)

// WorldConfig says what a world is like. The same configuration always makes
// the same world, byte for byte.
type WorldConfig struct {
	// Seed is what every choice of the world follows from.
	Seed uint64
	// Name is the account's name and names its mail domain; "acme" if empty.
	Name string
	// Account numbers the account among those that are served together, from 0
	// to MaxAccounts-1. Accounts of different numbers share no address.
	Account int
	// People is how many people work there; 200 if zero. Service accounts and
	// the SCIM bridge come on top.
	People int
	// Start is when the world's history begins, taken down to midnight UTC.
	// Zero: Monday, 5 January 2026.
	Start time.Time
	// Days is the length of the history; 30 if zero.
	Days int
	// Events is how many events the history has at least, over the three feeds;
	// zero: 34 for each person and day.
	Events int
	// LateItemUsages lets a share of item usages reach the API minutes to
	// hours, a handful even days, after they happened.
	LateItemUsages bool
	// MSP makes it an account of a managed service provider, whose events carry
	// more fields in v2.
	MSP bool

	// Stories are the kinds of attack that happen, see StoryKinds; nil: all of
	// them; empty but not nil: none.
	Stories []string
	// Rounds is how often each kind happens; zero: by the size of the world.
	Rounds int
	// Placements are stories at chosen times, on top of the others.
	Placements []Placement
}

// Placement puts a story at a time.
type Placement struct {
	Kind string
	At   time.Time
}

// DefaultStart is when a world begins that is not told otherwise: a Monday.
var DefaultStart = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func (c WorldConfig) withDefaults() WorldConfig {
	if c.Name == "" {
		c.Name = "acme"
	}
	if c.People == 0 {
		c.People = 200
	}
	if c.Start.IsZero() {
		c.Start = DefaultStart
	}
	c.Start = c.Start.UTC().Truncate(24 * time.Hour)
	if c.Days == 0 {
		c.Days = 30
	}
	if c.Events == 0 {
		c.Events = 34 * c.People * c.Days
	}
	if c.Stories == nil {
		c.Stories = StoryKinds()
	}
	if c.Rounds == 0 {
		c.Rounds = 1 + c.People*c.Days/6000
	}
	return c
}

// Validate says what is wrong with the configuration.
func (c WorldConfig) Validate() error {
	c = c.withDefaults()
	var wrong []error
	if c.Account < 0 || c.Account >= MaxAccounts {
		wrong = append(wrong, fmt.Errorf("account: %d is not within 0 to %d", c.Account, MaxAccounts-1))
	}
	if c.People < 2 || c.People > 20_000 {
		wrong = append(wrong, fmt.Errorf("people: %d is not within 2 to 20000", c.People))
	}
	if c.Days < 1 || c.Days > 366 {
		wrong = append(wrong, fmt.Errorf("days: %d is not within 1 to 366", c.Days))
	}
	if c.Events < 0 || c.Rounds < 0 {
		wrong = append(wrong, errors.New("events, rounds: must not be negative"))
	}
	kinds := slices.Clone(c.Stories)
	for _, p := range c.Placements {
		kinds = append(kinds, p.Kind)
	}
	for _, k := range kinds {
		if storyKind(k) == nil {
			wrong = append(wrong, fmt.Errorf("stories: %q is none; there are %v", k, StoryKinds()))
		}
	}
	return errors.Join(wrong...)
}

// World is one account with its people and everything that happens to them.
// It is safe for concurrent use.
type World struct {
	cfg     WorldConfig
	seed    uint64
	number  int
	account string // uuid
	domain  string
	msp     bool
	start   time.Time

	offices  []spot
	vaults   []string
	reserved int // so many vaults at the end are nobody's in ordinary life
	groups   []string
	pace     float64 // events of an average person on a working day

	// mu guards what a live world changes: people are added, records put in,
	// expectations grow.
	mu       sync.RWMutex
	people   []*person
	bridge   int // index of the SCIM bridge
	admins   []int
	planned  int // ordinary life is planned for the days before this one
	feeds    [feedCount][]record
	expected []Expected
	free     [2][]int // members, administrators whom no story has had yet
	strange  int      // addresses outside ordinary life that stories have used
	told     int      // stories told so far
}

// NewWorld makes a world. It panics on a configuration that Validate refuses.
// The story in which one address tries two accounts needs NewWorlds.
func NewWorld(cfg WorldConfig) *World { return NewWorlds(cfg, 1)[0] }

// NewWorlds makes n worlds that are served together: n accounts of the same
// kind, numbered from cfg.Account, with different people, and with attackers who
// try more than one of them. It panics on a configuration that Validate refuses.
func NewWorlds(cfg WorldConfig, n int) []*World {
	cfg = cfg.withDefaults()
	worlds := make([]*World, n)
	for i := range worlds {
		one := cfg
		one.Account = cfg.Account + i
		if i > 0 {
			one.Seed = mix(cfg.Seed, saltAccount, uint64(i))
			one.Name = fmt.Sprintf("%s-%d", cfg.Name, i+1)
			one.Placements = nil
		}
		if err := one.Validate(); err != nil {
			panic("simulator: world: " + err.Error())
		}
		worlds[i] = found(one)
	}
	// Stories first: ordinary life keeps out of their way.
	tellHistory(worlds)
	for _, w := range worlds {
		w.planUntil(cfg.Days)
	}
	return worlds
}

// found makes the account and its people, with nothing happening yet.
func found(cfg WorldConfig) *World {
	w := &World{
		cfg: cfg, seed: cfg.Seed, number: cfg.Account, msp: cfg.MSP, start: cfg.Start,
		account: upperUUID(cfg.Seed, saltAccount, uint64(cfg.Account)),
		domain:  cfg.Name + ".example",
	}
	r := newRand(w.seed, saltPlacement)
	for i, at := range r.Perm(len(offices))[:min(2+cfg.People/100, len(offices))] {
		w.offices = append(w.offices, spot{&offices[at], address(w.number, i)})
	}
	for i := range 12 + cfg.People/4 {
		w.vaults = append(w.vaults, lowerUUID(w.seed, saltVault, uint64(i)))
	}
	w.reserved = len(w.vaults) / 4
	for i := range 3 + cfg.People/25 {
		w.groups = append(w.groups, lowerUUID(w.seed, saltGroup, uint64(i)))
	}
	admins := 3 + cfg.People/25
	for i := range cfg.People {
		who := roleMember
		if i < min(admins, cfg.People/2+1) {
			who = roleAdmin
			w.admins = append(w.admins, i)
		}
		w.people = append(w.people, w.newPerson(i, who))
	}
	for range services(cfg) {
		w.people = append(w.people, w.newPerson(len(w.people), roleService))
	}
	w.bridge = len(w.people)
	w.people = append(w.people, w.newPerson(w.bridge, roleBridge))
	w.planTrips()
	w.planLeavers()
	w.pace = paceOf(cfg)
	w.gatherCast()
	return w
}

// Account is the account's uuid, as tokens and events carry it.
func (w *World) Account() string { return w.account }

// Name is the account's name.
func (w *World) Name() string { return w.cfg.Name }

// Start is when the history begins.
func (w *World) Start() time.Time { return w.start }

// End is when the prepared history ends. What was used last may be delivered later,
// see Complete.
func (w *World) End() time.Time { return w.start.AddDate(0, 0, w.cfg.Days) }

// Complete is the moment at which the API can return every record there is.
func (w *World) Complete() time.Time {
	w.mu.RLock()
	defer w.mu.RUnlock()
	last := w.start.UnixNano()
	for _, feed := range w.feeds {
		for i := range feed {
			last = max(last, feed[i].avail)
		}
	}
	return time.Unix(0, last).UTC()
}

// Count is how many records the feed holds, whether they can be returned yet or not.
func (w *World) Count(feed event.Feed) int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return len(w.feeds[feedNumber(feed)])
}

// Record is one event as the API will return it.
type Record struct {
	UUID      string
	Time      time.Time
	Available time.Time // from when on the API can return it
	JSON      json.RawMessage
}

// Records calls yield for every record of the feed in the order of time, in
// the shape of API v2, until yield returns false.
func (w *World) Records(feed event.Feed, yield func(Record) bool) {
	number := feedNumber(feed)
	w.mu.RLock()
	defer w.mu.RUnlock()
	for i := range w.feeds[number] {
		r := &w.feeds[number][i]
		if !yield(Record{
			UUID: r.uuid(), Time: time.Unix(0, r.at).UTC(), Available: time.Unix(0, r.avail).UTC(),
			JSON: w.appendRecord(nil, number, r, v2),
		}) {
			return
		}
	}
}

// insert puts records into a feed in the API's order. The world's lock is held.
// What is put in lies near the end, so only the tail is sorted again.
func (w *World) insert(feed int, records []record) {
	if len(records) == 0 {
		return
	}
	first := records[0].at
	for i := range records {
		first = min(first, records[i].at)
	}
	all := w.feeds[feed]
	from := sort.Search(len(all), func(i int) bool { return all[i].at >= first })
	all = append(all, records...)
	slices.SortFunc(all[from:], func(a, b record) int { return a.compare(&b) })
	w.feeds[feed] = all
}
