package simulator

import (
	"slices"
	"time"
)

// gatherCast shuffles those whom stories may be about: people without trips or
// plans to leave. Each is in at most one story, so that no story's evidence
// depends on another's.
func (w *World) gatherCast() {
	for i, p := range w.people {
		switch {
		case p.trip != nil || !p.leaves.IsZero():
		case p.role == roleMember:
			w.free[0] = append(w.free[0], i)
		case p.role == roleAdmin:
			w.free[1] = append(w.free[1], i)
		}
	}
	r := newRand(w.seed, saltPlacement, 4)
	for _, list := range w.free {
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
}

// person finds a member of the first world who has been in no story yet.
func (s *stage) person() actor { return s.find(s.worlds[0], roleMember) }

// admin finds an administrator of the first world who has been in no story yet.
func (s *stage) admin() actor { return s.find(s.worlds[0], roleAdmin) }

// find takes somebody from ordinary life, or, once all have had their story
// and in live stories, somebody new.
func (s *stage) find(w *World, who role) actor {
	list := 0
	if who == roleAdmin {
		list = 1
	}
	a := actor{w: w, index: len(w.people)}
	if free := w.free[list]; !s.live && len(free) > 0 {
		a.index, w.free[list] = free[0], free[1:]
		w.people[a.index].exports = false // what the story's person exports is the story's
	} else {
		p := w.newPerson(a.index, who)
		p.extra, p.exports = true, false
		w.people = append(w.people, p)
	}
	s.cast = append(s.cast, a)
	return a
}

// stranger is a place outside ordinary life with an address used by nobody
// else, and a plain browser.
func (s *stage) stranger() *scene {
	w := s.worlds[0]
	w.strange++
	return &scene{spot: spot{&elsewhere[s.r.IntN(len(elsewhere))], strangeAddress(w.number, 1024+w.strange%1024)}, device: strangeTool}
}

// atHome is the scene of somebody in the usual place with the usual device.
var atHome *scene

// signin lets somebody try to sign in.
func (s *stage) signin(who actor, verb uint8, where *scene) []evidence {
	return s.act(who, signins, verb, where, -1, 0)
}

// use lets somebody use an item.
func (s *stage) use(who actor, verb uint8, where *scene, vault, item int) []evidence {
	return s.act(who, items, verb, where, -1, uint32(vault)<<16|uint32(item))
}

// audit lets somebody do something to the account, about another person
// (index, or -1) and an object (number; for vaults the vault's index).
func (s *stage) audit(who actor, verb uint8, where *scene, other int, thing int) []evidence {
	return s.act(who, audits, verb, where, other, uint32(thing))
}

func (s *stage) act(who actor, feed int, verb uint8, where *scene, other int, thing uint32) []evidence {
	s.count++
	at := s.at.UnixNano()
	if feed != audits { // see newRecord; whole seconds could change the order of a story
		at -= at % int64(time.Millisecond)
	}
	rec := record{
		at: at, avail: promptly(at), seed: mix(s.seed, saltRecord, s.count),
		who: int32(who.index), other: int32(other), thing: thing, verb: verb, scene: where,
	}
	if where == nil {
		rec.scene = &scene{}
		rec.spot = uint8(len(who.w.people[who.index].spots) / 2) // home; machines have one place
	}
	s.acts = append(s.acts, act{who.w, feed, rec})
	return []evidence{{rec.at, rec.uuid(), who.w.account}}
}

// vaultOf is a vault that the person uses.
func (s *stage) vaultOf(who actor) int {
	vaults := who.w.people[who.index].vaults
	return vaults[s.r.IntN(len(vaults))]
}

// foreignVault is a vault that nobody uses in ordinary life.
func (s *stage) foreignVault(w *World) int { return len(w.vaults) - 1 - s.r.IntN(w.reserved) }

// several collects the evidence of n acts.
func several(n int, do func(i int) []evidence) []evidence {
	var all []evidence
	for i := range n {
		all = slices.Concat(all, do(i))
	}
	return all
}
