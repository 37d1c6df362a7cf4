package simulator

import (
	"math/rand/v2"
	"time"
)

// audits plans what the person does to the account itself: little for members,
// more for administrators. It says how many records that makes.
func (p *plan) audits(r *rand.Rand, i int, there bool, begin time.Time, n int) int {
	who := p.w.people[i]
	share := 0.02
	if who.role == roleAdmin {
		share = 0.15
	}
	count := 0
	for range n {
		if chance(r, share) {
			count++
		}
	}
	where := spotAt(r, there)
	for k := range count {
		at := begin.Add(time.Duration(r.Int64N(int64(who.works))))
		verb := ordinaryAuditVerb(r, who.role)
		rec := p.w.newRecord(audits, at.UnixNano(), uint64(k), i, verb, p.somebodyElse(r, i))
		rec.spot, rec.tool = where, uint8(r.IntN(len(who.devices)))
		rec.thing = uint32(r.IntN(1 << 20))
		p.add(audits, rec)
	}
	return count
}

// provisioning is the SCIM bridge's day: people join, move and are provisioned,
// mostly in one batch in the small hours.
func (p *plan) provisioning(r *rand.Rand, i int) {
	batch := p.w.start.AddDate(0, 0, p.day).Add(2 * time.Hour)
	p.add(signins, p.w.newRecord(signins, batch.Add(-time.Minute).UnixNano(), 0, i, signinOK, -1))
	for k := range between(r, 2, 6+len(p.w.people)/20) {
		batch = batch.Add(time.Duration(100+r.IntN(3000)) * time.Millisecond)
		rec := p.w.newRecord(audits, batch.UnixNano()+int64(r.IntN(1e6)), uint64(k), i,
			ordinaryAuditVerb(r, roleBridge), p.somebodyElse(r, i))
		rec.thing = uint32(r.IntN(1 << 20))
		p.add(audits, rec)
	}
}

func (p *plan) somebodyElse(r *rand.Rand, i int) int {
	// Extras exist for one story each; nobody in ordinary life knows them.
	other := r.IntN(p.w.bridge)
	if other == i {
		other = (i + 1) % p.w.bridge
	}
	return other
}

func ordinaryAuditVerb(r *rand.Rand, who role) uint8 {
	weight := func(v auditVerb) int {
		switch who {
		case roleAdmin:
			return v.admin
		case roleBridge:
			return v.bridge
		}
		return v.member
	}
	total := 0
	for _, v := range auditVerbs {
		total += weight(v)
	}
	x := r.IntN(total)
	for n, v := range auditVerbs {
		if x -= weight(v); x < 0 {
			return uint8(n)
		}
	}
	return firstOrdinaryAudit
}
