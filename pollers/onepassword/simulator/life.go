package simulator

import (
	"math/rand/v2"
	"time"
)

// Ordinary life, planned a day at a time. It must never look like an attack.
// What keeps it apart from the thresholds of the rules, by construction:
//
//   - a person fails to sign in at most twice before a success, and signs in at
//     least two and a half hours apart;
//   - from one office at most two people fail within five minutes;
//   - a person is in one place from one day on the way to the next, and on the
//     way for longer than an airliner takes;
//   - few people export, a few items a day, and none of them is ever suspended;
//   - firewalls deny at night only, long before the next success;
//   - nobody grants himself a vault, changes the firewall, exports a vault or
//     makes a token: these belong to stories;
//   - while a story has a person, the person makes no sign-in attempt.

// plan collects the records of one day and keeps count of what is shared.
type plan struct {
	w       *World
	day     int
	records [feedCount][]record
	// failing counts people failing to sign in by office and five minutes.
	failing map[failSlot]int
}

type failSlot struct {
	ip   string
	slot int64
}

// planUntil plans ordinary life for all days before the given one. Local days
// reach into the neighbouring UTC days, so a live world plans ahead by two.
func (w *World) planUntil(days int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; w.planned < days; w.planned++ {
		p := &plan{w: w, day: w.planned, failing: map[failSlot]int{}}
		for i, who := range w.people {
			if !who.extra {
				p.person(i)
			}
		}
		for feed := range p.records {
			w.insert(feed, p.records[feed])
		}
	}
}

func (p *plan) person(i int) {
	who := p.w.people[i]
	r := newRand(p.w.seed, saltDay, uint64(p.day), uint64(i))
	switch who.role {
	case roleService:
		p.service(r, i)
		return
	case roleBridge:
		p.provisioning(r, i)
		return
	}
	there, onTheWay := who.trip.away(p.day)
	if onTheWay {
		return
	}
	amount := p.w.pace * who.pace * weekday(p.w.start, p.day) * (0.7 + 0.6*r.Float64())
	if weekday(p.w.start, p.day) == weekend { // one in five works, the others rest
		if !chance(r, 0.2) {
			return
		}
		amount *= 5
	}
	n := int(amount)
	if chance(r, amount-float64(n)) {
		n++
	}
	if n == 0 {
		return
	}
	place := who.spots[0].city
	if there {
		place = who.trip.spot.city
	}
	begin := p.w.start.AddDate(0, 0, p.day).Add(who.starts - place.offset)
	rushed := p.w.start.AddDate(0, 0, p.day).Weekday() == time.Monday && chance(r, 0.5)
	if rushed { // Monday morning: half of everybody within a quarter of an hour
		begin = p.w.start.AddDate(0, 0, p.day).Add(9*time.Hour - place.offset + time.Duration(r.IntN(900))*time.Second)
	}
	n -= p.signins(r, i, there, begin, n)
	n -= p.audits(r, i, there, begin, n)
	p.items(r, i, there, begin, n)
	p.exportsOf(r, i, begin)
	p.deniedAtNight(r, i, begin)
}

// spotAt is from where the person acts: mostly the office, else home or on the way.
func spotAt(r *rand.Rand, there bool) uint8 {
	switch x := r.IntN(10); {
	case there:
		return tripSpot
	case x < 6:
		return 0
	case x < 9:
		return 1
	}
	return 2
}

func (p *plan) add(feed int, rec record) {
	w := p.w
	if rec.at < w.start.UnixNano() {
		return
	}
	at := time.Unix(0, rec.at)
	if who := w.people[rec.who]; who.goneAt(at) || feed == signins && who.busyAt(at) {
		return
	}
	if feed == items && w.cfg.LateItemUsages {
		rec.avail = lately(rec.at, rec.seed)
	}
	p.records[feed] = append(p.records[feed], rec)
}

// signins plans up to three successes with their mistakes before, and says how
// many records that makes.
func (p *plan) signins(r *rand.Rand, i int, there bool, begin time.Time, n int) int {
	before := len(p.records[signins])
	who := p.w.people[i]
	at := begin
	for k := range min(3, 1+n/12) {
		if k > 0 {
			at = at.Add(150*time.Minute + time.Duration(r.IntN(45*60))*time.Second)
		}
		where, tool := spotAt(r, there), uint8(r.IntN(len(who.devices)))
		p.mistakes(r, i, at, where, tool)
		verb := uint8(signinOK)
		switch x := r.IntN(200); {
		case x < 80:
			verb = signinMFA
		case x == 198:
			verb = signinReported
		case x == 199:
			verb = signinUnknownType
		}
		rec := p.w.newRecord(signins, at.UnixNano()+int64(r.IntN(1e9)), uint64(k), i, verb, -1)
		rec.spot, rec.tool = where, tool
		p.add(signins, rec)
	}
	return len(p.records[signins]) - before
}

// mistakes are one or two failed attempts in the hundred seconds before a success.
func (p *plan) mistakes(r *rand.Rand, i int, success time.Time, where, tool uint8) {
	if !chance(r, 0.05) {
		return
	}
	who := p.w.people[i]
	ip := "" // a trip's office is shared as well
	if where == tripSpot {
		ip = who.trip.spot.ip
	} else {
		ip = who.spots[where].ip
	}
	slots := []failSlot{{ip, success.Add(-100*time.Second).Unix() / 300}, {ip, success.Unix() / 300}}
	for _, s := range slots {
		if p.failing[s] >= 2 {
			return
		}
	}
	for _, s := range slots {
		p.failing[s]++
	}
	verb := pick(r, []uint8{signinBadPassword, signinBadPassword, signinBadPassword, signinBadCode, signinCodeTimeout,
		signinNoFactor, signinOldApp, signinNotSSO})
	for k := range between(r, 1, 2) {
		at := success.Add(-time.Duration(20+30*k+r.IntN(20)) * time.Second)
		rec := p.w.newRecord(signins, at.UnixNano(), uint64(10+k), i, verb, -1)
		rec.spot, rec.tool = where, tool
		p.add(signins, rec)
	}
}

// deniedAtNight is a stranger in a blocked country who knows an address. Five
// hours before work the person does not sign in within any rule's window.
func (p *plan) deniedAtNight(r *rand.Rand, i int, begin time.Time) {
	if !chance(r, 0.003) {
		return
	}
	where := pick(r, elsewhere)
	at := begin.Add(-5 * time.Hour)
	rec := p.w.newRecord(signins, at.UnixNano(), 20, i, signinCountryBlocked, -1)
	rec.scene = &scene{
		spot:   spot{&where, strangeAddress(p.w.number, int(mix(rec.seed, saltAddress)%1024))},
		device: strangeTool, details: where.code,
	}
	p.add(signins, rec)
}

// items plans n uses of items over the working day, in bursts as people work.
func (p *plan) items(r *rand.Rand, i int, there bool, begin time.Time, n int) {
	who := p.w.people[i]
	for k := 0; k < n; {
		burst := min(n-k, 1+r.IntN(6))
		at := begin.Add(time.Duration(r.Int64N(int64(who.works))))
		where, tool := spotAt(r, there), uint8(r.IntN(len(who.devices)))
		vault := pick(r, who.vaults)
		for range burst {
			at = at.Add(time.Duration(2+r.IntN(50)) * time.Second)
			rec := p.w.newRecord(items, at.UnixNano()+int64(r.IntN(1e9)), uint64(k), i, ordinaryItemVerb(r), -1)
			rec.spot, rec.tool = where, tool
			rec.thing = uint32(vault)<<16 | uint32(r.IntN(60)*r.IntN(4)) // a few items are used most
			p.add(items, rec)
			k++
		}
	}
}

func ordinaryItemVerb(r *rand.Rand) uint8 {
	x := r.IntN(1000)
	for verb := range itemVerbs {
		if x -= itemVerbs[verb].weight; x < 0 {
			return uint8(verb)
		}
	}
	return itemFill
}

// exportsOf lets those whose work it is export up to three items.
func (p *plan) exportsOf(r *rand.Rand, i int, begin time.Time) {
	who := p.w.people[i]
	if !who.exports || !chance(r, 0.15) {
		return
	}
	for k := range between(r, 1, 3) {
		at := begin.Add(time.Duration(r.Int64N(int64(who.works))))
		rec := p.w.newRecord(items, at.UnixNano(), uint64(1000+k), i, itemExport, -1)
		rec.thing = uint32(pick(r, who.vaults))<<16 | uint32(r.IntN(60))
		p.add(items, rec)
	}
}

// service plans a machine that reads secrets all day long.
func (p *plan) service(r *rand.Rand, i int) {
	midnight := p.w.start.AddDate(0, 0, p.day)
	who := p.w.people[i]
	p.add(signins, p.w.newRecord(signins, midnight.Add(time.Duration(i%60)*time.Minute).UnixNano(), 0, i, signinOK, -1))
	// Machines make about a twentieth of all that happens.
	n := 12 + int(p.w.pace*float64(p.w.cfg.People)/float64(20*services(p.w.cfg)))
	for k := range n {
		at := midnight.Add(time.Duration(k)*day/time.Duration(n) + time.Duration(r.IntN(240))*time.Second)
		rec := p.w.newRecord(items, at.UnixNano(), uint64(k), i, itemFetch, -1)
		rec.thing = uint32(who.vaults[k%len(who.vaults)])<<16 | uint32(k%5)
		p.add(items, rec)
	}
}

// lately is when an item usage can be returned: the app reports it when it
// next syncs, mostly at once, three in a hundred between minutes and twenty
// hours later, one in five thousand after days. 1Password says that it happens
// and gives no figures.
func lately(at int64, seed uint64) int64 {
	r := newRand(seed, saltLate)
	switch x := r.IntN(5000); {
	case x == 0:
		return promptly(at + int64(day) + r.Int64N(int64(2*day)))
	case x < 150:
		// Evenly over the orders of magnitude: 3, 6, 12, … minutes, to 20 hours.
		wait := 3 * time.Minute << r.IntN(8)
		return promptly(at + int64(wait) + r.Int64N(int64(wait)*2))
	}
	return promptly(at)
}
