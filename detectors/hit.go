package detectors

import (
	"unique"

	"watchword/bus/alert"
	"watchword/bus/event"
	"watchword/detectors/pattern"
	"watchword/rules"
)

var (
	nobody  = unique.Make(alert.Person{})
	nowhere = unique.Make(alert.Place{})
)

// hitter makes hits of one event; what all of its hits share is made once.
type hitter struct {
	e      *event.Event
	f      *event.Fields
	seq    uint64
	made   bool
	person unique.Handle[alert.Person]
	place  unique.Handle[alert.Place]
}

func (h *hitter) hit(m rules.Match) pattern.Hit {
	if !h.made {
		h.made = true
		u, c, l := &h.f.User, &h.f.Client, &h.f.Location
		h.person = unique.Make(alert.Person{UUID: u.UUID, Name: u.Name, Email: u.Email})
		h.place = unique.Make(alert.Place{IP: c.IP, Country: l.Country, City: l.City})
	}
	return pattern.Hit{
		Time: h.e.Time, ID: h.e.ID, Seq: h.seq, Steps: m.Steps, Value: m.Value,
		Person: h.person, Place: h.place, Historical: h.e.Historical,
	}
}
