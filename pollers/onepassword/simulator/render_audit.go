package simulator

import "time"

func (w *World) writeAudit(o *object, r *record, version apiVersion) {
	actor, verb := w.people[r.who], auditVerbs[r.verb]
	o.moment("timestamp", r.at)
	o.text("actor_uuid", actor.uuid)
	if !r.thin(partActorDetails, 25) {
		w.writeUser(o, "actor_details", actor, version)
	}
	if version == v2 {
		o.text("actor_type", "user")
		o.text("actor_account_uuid", w.account)
		o.text("account_uuid", w.account)
	}
	o.text("action", verb.action)
	o.text("object_type", verb.object)
	w.writeTarget(o, r, verb.target)
	w.writeAux(o, r, verb)
	w.writeSession(o, r)
	writeLocation(o, r, w.spotOf(r))
}

// writeTarget writes what the event is about. Names are sent for people only.
func (w *World) writeTarget(o *object, r *record, target about) {
	number := uint64(r.thing)
	switch target {
	case self, somebody:
		p := w.people[r.who]
		if target == somebody {
			p = w.people[r.other]
		}
		o.text("object_uuid", p.uuid)
		w.writePerson(o, "object_details", p)
	case aDevice:
		o.text("object_uuid", w.toolOf(r).uuid)
	case aGroup:
		o.text("object_uuid", w.groups[number%uint64(len(w.groups))])
	case aVault:
		o.text("object_uuid", w.vaults[number%uint64(len(w.vaults))])
	case theAccount:
		o.text("object_uuid", w.account)
	case aServiceAccount:
		o.uuid("object_uuid", mix(w.seed, saltObject, number), upperAlphabet)
	default:
		o.uuid("object_uuid", mix(w.seed, saltObject, number), lowerAlphabet)
	}
}

func (w *World) writeAux(o *object, r *record, verb auditVerb) {
	if verb.aux == nothing {
		return
	}
	id := int64(0) // the API sends 0 where there is no number
	if verb.numbered {
		id = int64(1 + mix(r.seed, saltObject)%9_000_000)
	}
	o.number("aux_id", id)
	switch verb.aux {
	case aGroup:
		o.text("aux_uuid", w.groups[mix(r.seed, saltGroup)%uint64(len(w.groups))])
	case self:
		o.text("aux_uuid", w.people[r.who].uuid)
		w.writePerson(o, "aux_details", w.people[r.who])
	default:
		o.text("aux_uuid", w.people[r.other].uuid)
		w.writePerson(o, "aux_details", w.people[r.other])
	}
	if verb.info != "" {
		o.text("aux_info", verb.info)
	}
}

func (w *World) writePerson(o *object, name string, p *person) {
	o.open(name)
	o.text("uuid", p.uuid)
	o.text("name", p.name)
	o.text("email", p.email)
	o.close()
}

// writeSession writes from where the actor was signed in. Audit events have no
// client object; the session's address is called ip here.
func (w *World) writeSession(o *object, r *record) {
	if r.thin(partSession, 200) {
		return
	}
	// One session per person and half a day.
	half := r.at / int64(12*time.Hour)
	o.open("session")
	o.uuid("uuid", mix(w.seed, saltSession, uint64(r.who), uint64(half)), upperAlphabet)
	o.moment("login_time", r.at-int64(mix(r.seed, saltSession)%uint64(3*time.Hour)))
	o.text("device_uuid", w.toolOf(r).uuid)
	o.text("ip", w.spotOf(r).ip)
	o.close()
}
