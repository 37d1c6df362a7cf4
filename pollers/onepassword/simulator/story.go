package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// story is a kind of attack. What it tells is a pure function of the world's
// seed, the story's number and the time it begins.
type story struct {
	kind  string
	about string
	tell  func(*stage)
	// accounts is how many accounts it needs.
	accounts int
}

// stories in the order in which a live world tells them: the first shows what
// the whole is about.
func stories() []story {
	return []story{
		{"guess-then-export", "passwords are guessed until one is right, then items are exported", guessThenExport, 1},
		{"password-spraying", "one address tries many people", passwordSpraying, 1},
		{"self-granted-vault", "an administrator gives himself a vault and reveals its items", selfGrantedVault, 1},
		{"two-countries", "a person signs in from two countries within two hours, sooner than one can travel", twoCountries, 1},
		{"mfa-fatigue", "the second factor is asked for until the person gives in, or not", mfaFatigue, 1},
		{"unapproved-token", "an administrator makes a service account token nobody approved", unapprovedToken, 1},
		{"denied-then-in", "the firewall denies a sign-in, another address gets in", deniedThenIn, 1},
		{"two-accounts", "one address tries people of two accounts", twoAccounts, 2},
		{"vault-export", "a whole vault is exported", vaultExport, 1},
		{"many-failures", "one person's password is tried again and again", manyFailures, 1},
		{"firewall-change", "an administrator changes the firewall", firewallChange, 1},
		{"mass-export", "one person exports many items", massExport, 1},
		{"export-before-suspension", "a person exports items and is suspended soon after", exportBeforeSuspension, 1},
		{"account-recovery", "a person's two-factor is turned off and the account's recovery begun", accountRecovery, 1},
		{"near-miss", "things that stay just below every threshold", nearMiss, 1},
	}
}

// StoryKinds lists the kinds of stories, in the order a live world tells them.
func StoryKinds() []string {
	var kinds []string
	for _, s := range stories() {
		kinds = append(kinds, s.kind)
	}
	return kinds
}

// AboutStory says in half a sentence what happens in stories of the kind.
func AboutStory(kind string) string {
	if s := storyKind(kind); s != nil {
		return s.about
	}
	return ""
}

func storyKind(kind string) *story {
	all := stories()
	if i := slices.IndexFunc(all, func(s story) bool { return s.kind == kind }); i >= 0 {
		return &all[i]
	}
	return nil
}

// tellHistory places the stories over the span of the worlds and tells them.
func tellHistory(worlds []*World) {
	for n, w := range worlds {
		partners := slices.Concat(worlds[n+1:], worlds[:n])
		var kinds []string
		for range w.cfg.Rounds {
			for _, k := range w.cfg.Stories {
				// The first world tells what takes two.
				if need := storyKind(k).accounts; need == 1 || need <= len(worlds) && n == 0 {
					kinds = append(kinds, k)
				}
			}
		}
		r := newRand(w.seed, saltPlacement, 3)
		r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		// Evenly over the span, the first hours and the last included.
		room := w.End().Sub(w.start) - 6*time.Hour
		for i, kind := range kinds {
			at := w.start.Add(time.Hour + time.Duration((float64(i)+r.Float64())/float64(len(kinds))*float64(room)))
			w.tell(kind, partners, told{at: at, until: w.End().Add(-time.Hour)})
		}
		for _, p := range w.cfg.Placements {
			w.tell(p.Kind, partners, told{at: p.At, until: p.At.Add(13 * day)})
		}
	}
}

// told says when and how a story is told.
type told struct {
	at    time.Time
	until time.Time // the story is over by then
	// live stories are quick, have people of their own, and none of their
	// records can be returned before now.
	live bool
	now  time.Time
}

// tell tells one story and returns its name. Partners are other worlds whose
// people it may be about as well.
func (w *World) tell(kind string, partners []*World, how told) (string, error) {
	s := storyKind(kind)
	if s == nil {
		return "", fmt.Errorf("story %q: there is none; there are %v", kind, StoryKinds())
	}
	if s.accounts > 1+len(partners) {
		return "", fmt.Errorf("story %q: needs %d accounts, there is one", kind, s.accounts)
	}
	worlds := append([]*World{w}, partners...)[:s.accounts]
	inOrder := slices.SortedFunc(slices.Values(worlds), func(a, b *World) int { return a.number - b.number })
	for _, each := range inOrder { // one order for all, so that no two wait for each other
		each.mu.Lock()
		defer each.mu.Unlock()
	}
	w.told++
	st := &stage{
		told: how, worlds: worlds,
		name: fmt.Sprintf("%s/%d", kind, w.told),
		seed: mix(w.seed, saltStory, uint64(w.told)),
		r:    newRand(w.seed, saltStory, uint64(w.told)),
	}
	st.begins = st.at
	s.tell(st)
	st.finish()
	return st.name, nil
}

// stage is where one story is told: it keeps the time, the cast and what
// happened.
type stage struct {
	told
	worlds []*World
	name   string
	seed   uint64
	r      *rand.Rand
	begins time.Time
	count  uint64 // records so far
	acts   []act
	cast   []actor
}

// act is one record of a story.
type act struct {
	w    *World
	feed int
	rec  record
}

// actor is somebody in a story.
type actor struct {
	w     *World
	index int
}

func (a actor) uuid() string { return a.w.people[a.index].uuid }

// wait lets between low and high pass. Live stories take a fortieth of the
// time, and never more than a quarter of a minute at once.
func (s *stage) wait(low, high time.Duration) {
	d := low + time.Duration(s.r.Int64N(int64(high-low)+1))
	if s.live {
		d = min(d/40, 15*time.Second)
	}
	s.at = s.at.Add(max(d, 100*time.Millisecond))
}

// finish puts the story's records into the worlds and keeps its people out of
// ordinary life meanwhile.
func (s *stage) finish() {
	for _, a := range s.acts {
		if s.live {
			a.rec.avail = max(a.rec.avail, promptly(s.now.UnixNano()))
		} else if a.feed == items && a.w.cfg.LateItemUsages && mix(a.rec.seed, saltLate)%4 == 0 {
			a.rec.avail = promptly(a.rec.at + int64(mix(a.rec.seed)%uint64(20*time.Hour)))
		}
		a.w.insert(a.feed, []record{a.rec})
	}
	const apart = 25 * time.Hour // longer than the window of any rule about sign-ins
	for _, a := range s.cast {
		p := a.w.people[a.index]
		p.cast = append(p.cast, span{s.begins.Add(-apart), s.at.Add(apart)})
	}
}

// expect writes down an alert that the story must raise.
func (s *stage) expect(rule string, key []string, events ...[]evidence) {
	s.worlds[0].expected = append(s.worlds[0].expected, expectation(s.name, rule, key, slices.Concat(events...)))
}
