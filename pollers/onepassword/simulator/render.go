package simulator

import (
	"encoding/json"
	"strconv"
	"time"
)

// apiVersion is the version of the API a record is written for. v2 adds the
// account and the types of the people.
type apiVersion int

const (
	v1 apiVersion = 1
	v2 apiVersion = 2
)

// object writes one JSON object into a buffer.
type object struct{ b []byte }

func (o *object) open(name string) {
	o.name(name)
	o.b = append(o.b, '{')
}

func (o *object) close() {
	if n := len(o.b) - 1; o.b[n] == ',' {
		o.b = o.b[:n]
	}
	o.b = append(o.b, '}', ',')
}

func (o *object) name(name string) {
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(name, value string) {
	o.name(name)
	o.b = appendQuoted(o.b, value)
	o.b = append(o.b, ',')
}

func (o *object) number(name string, value int64) {
	o.name(name)
	o.b = append(strconv.AppendInt(o.b, value, 10), ',')
}

func (o *object) fraction(name string, value float64) {
	o.name(name)
	o.b = append(strconv.AppendFloat(o.b, value, 'f', -1, 64), ',')
}

func (o *object) null(name string) {
	o.name(name)
	o.b = append(o.b, "null,"...)
}

// moment writes a time as the API does: UTC, trailing zeros trimmed.
func (o *object) moment(name string, unixNano int64) {
	o.name(name)
	o.b = append(o.b, '"')
	o.b = time.Unix(0, unixNano).UTC().AppendFormat(o.b, time.RFC3339Nano)
	o.b = append(o.b, '"', ',')
}

func (o *object) uuid(name string, seed uint64, alphabet string) {
	o.name(name)
	o.b = append(o.b, '"')
	o.b = appendUUID(o.b, seed, alphabet)
	o.b = append(o.b, '"', ',')
}

// appendQuoted quotes the value for JSON. Nearly every value is plain ASCII.
func appendQuoted(b []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(value)
			if err != nil {
				panic(err) // a string always marshals
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, value...)
	return append(b, '"')
}

// thin says whether ordinary life leaves out an optional part of the record:
// the API is seen to. Stories are always whole.
func (r *record) thin(part uint64, oneIn uint64) bool {
	return r.scene == nil && mix(r.seed, saltThin, part)%oneIn == 0
}

const (
	partLocation uint64 = iota
	partCoordinates
	partCountryName
	partVersion
	partClient
	partDetails
	partActorDetails
	partSession
)

// appendRecord appends the record's JSON object. The world's lock is held.
func (w *World) appendRecord(dst []byte, feed int, r *record, version apiVersion) []byte {
	o := &object{b: append(dst, '{')}
	o.uuid("uuid", r.seed, upperAlphabet)
	switch feed {
	case signins:
		w.writeSignin(o, r, version)
	case items:
		w.writeItem(o, r, version)
	default:
		w.writeAudit(o, r, version)
	}
	o.close()
	return o.b[:len(o.b)-1] // the comma after the object
}

func (w *World) writeSignin(o *object, r *record, version apiVersion) {
	who, verb := w.people[r.who], signinVerbs[r.verb]
	o.uuid("session_uuid", mix(r.seed, saltSession), upperAlphabet)
	o.moment("timestamp", r.at)
	o.text("category", verb.category)
	o.text("type", verb.kind)
	where := w.spotOf(r)
	o.text("country", where.city.code)
	switch {
	case r.scene != nil && r.scene.details != "":
		o.open("details")
		o.text("value", r.scene.details)
		o.close()
	case r.verb == signinReported:
		o.open("details")
		o.text("value", "Europe")
		o.close()
	case !r.thin(partDetails, 5):
		o.null("details")
	}
	w.writeUser(o, "target_user", who, version)
	w.writeClient(o, r)
	writeLocation(o, r, where)
	if version == v2 && w.msp {
		o.text("account_uuid", w.account)
	}
}

func (w *World) writeItem(o *object, r *record, version apiVersion) {
	vault, number := int(r.thing>>16), uint64(r.thing&0xffff)
	o.moment("timestamp", r.at)
	if !r.thin(partVersion, 20) {
		o.number("used_version", int64(1+mix(r.seed, saltThin)%30))
	}
	o.text("vault_uuid", w.vaults[vault])
	o.uuid("item_uuid", mix(w.seed, saltItem, uint64(vault), number), lowerAlphabet)
	o.text("action", itemVerbs[r.verb].action)
	w.writeUser(o, "user", w.people[r.who], version)
	w.writeClient(o, r)
	writeLocation(o, r, w.spotOf(r))
	if version == v2 && w.msp {
		o.text("account_uuid", w.account)
	}
}

func (w *World) writeUser(o *object, name string, p *person, version apiVersion) {
	o.open(name)
	o.text("uuid", p.uuid)
	o.text("name", p.name)
	o.text("email", p.email)
	if version == v2 && w.msp {
		o.text("user_type", "user")
		o.text("user_account_uuid", w.account)
	}
	o.close()
}

func (w *World) writeClient(o *object, r *record) {
	if r.thin(partClient, 150) {
		return
	}
	tool := w.toolOf(r)
	o.open("client")
	o.text("app_name", tool.app)
	o.text("app_version", tool.appVersion)
	o.text("platform_name", tool.platform)
	o.text("platform_version", tool.platformVersion)
	o.text("os_name", tool.os)
	o.text("os_version", tool.osVersion)
	o.text("ip_address", w.spotOf(r).ip)
	o.close()
}

func writeLocation(o *object, r *record, where spot) {
	if r.thin(partLocation, 40) {
		return
	}
	o.open("location")
	if mix(r.seed, partCountryName)%10 == 0 {
		o.text("country", where.city.country)
	} else {
		o.text("country", where.city.code)
	}
	o.text("region", where.city.region)
	o.text("city", where.city.name)
	if !r.thin(partCoordinates, 60) {
		o.fraction("latitude", where.city.lat)
		o.fraction("longitude", where.city.lon)
	}
	o.close()
}

func (w *World) spotOf(r *record) spot {
	if r.scene != nil && r.scene.spot.city != nil {
		return r.scene.spot
	}
	p := w.people[r.who]
	if int(r.spot) == tripSpot {
		return p.trip.spot
	}
	return p.spots[r.spot]
}

func (w *World) toolOf(r *record) device {
	if r.scene != nil && r.scene.device.app != "" {
		return r.scene.device
	}
	return w.people[r.who].devices[r.tool]
}

// tripSpot stands for the place of the person's trip.
const tripSpot = 0xff
