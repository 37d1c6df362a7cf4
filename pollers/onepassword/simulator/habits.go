package simulator

import "time"

// Habits of the people of a world: who travels, who leaves, how much is done.

const day = 24 * time.Hour

// weekend is how much of a working day's activity a Saturday or Sunday sees.
const weekend = 0.08

// services is how many service accounts there are.
func services(cfg WorldConfig) int { return 1 + cfg.People/50 }

// weekday says how much of a working day's activity a day sees.
func weekday(start time.Time, number int) float64 {
	switch start.AddDate(0, 0, number).Weekday() {
	case time.Saturday, time.Sunday:
		return weekend
	case time.Monday:
		return 1.15
	case time.Friday:
		return 0.85
	}
	return 1
}

// paceOf is how many events an average person makes on an average working day
// so that the history comes out at the wished number.
func paceOf(cfg WorldConfig) float64 {
	days := 0.0
	for d := range cfg.Days {
		days += weekday(cfg.Start, d)
	}
	if days < 0.5 {
		days = 0.5
	}
	// A margin covers those who travel or leave; service accounts come on top.
	return 1.08 * float64(cfg.Events) / (days * float64(cfg.People))
}

// planTrips sends every twelfth person to another office for some days.
func (w *World) planTrips() {
	for i, p := range w.people {
		r := newRand(w.seed, saltPlacement, uint64(i), 1)
		if p.role != roleMember || i%12 != 5 || w.cfg.Days < 6 {
			continue
		}
		to := pick(r, w.offices)
		if to.city == p.spots[0].city {
			continue
		}
		first := between(r, 1, w.cfg.Days-4)
		p.trip = &trip{first: first, last: first + between(r, 0, 2), spot: to}
	}
}

// planLeavers lets a few people leave in good order: suspended by the SCIM
// bridge, having exported nothing.
func (w *World) planLeavers() {
	for i, p := range w.people {
		r := newRand(w.seed, saltPlacement, uint64(i), 2)
		if p.role == roleMember && !p.exports && i%60 == 31 {
			p.leaves = w.start.AddDate(0, 0, r.IntN(w.cfg.Days)).Add(17 * time.Hour)
			w.insert(audits, []record{w.newRecord(audits, p.leaves.UnixNano(), uint64(i), w.bridge, auditSuspend, i)})
		}
	}
}

// newRecord makes an ordinary record; name tells it apart from others of the
// same person at the same time.
func (w *World) newRecord(feed int, at int64, name uint64, who int, verb uint8, other int) record {
	// People's clocks and the server's differ in how finely they count: audit
	// events carry nanoseconds, the others milliseconds, some whole seconds.
	if feed != audits {
		at -= at % int64(time.Millisecond)
		if mix(uint64(at), name)%40 == 0 {
			at -= at % int64(time.Second)
		}
	}
	return record{
		at: at, avail: promptly(at), seed: mix(w.seed, saltRecord, uint64(feed), uint64(at), uint64(who), name),
		who: int32(who), other: int32(other), verb: verb,
	}
}
