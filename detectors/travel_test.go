package detectors

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"watchword/bus/alert"
	"watchword/bus/event"
)

// travelRules are the two words that take what the API says of places and of
// other people.
var travelRules = map[string]string{
	"travel": `let signed_in = signin.outcome == "success" && !user.service; travel(signed_in, 900) | by(user.uuid) | within("24h")`,
	"taken":  `let off = audit.action == "disblmfa" && audit.object_type == "user"; let recovery = audit.action == "beginr"; together(off, recovery) | by(audit.object_uuid) | within("1h")`,
}

// payload is the API's own object in an envelope.
func payload(t *testing.T, feed event.Feed, raw string) event.Event {
	t.Helper()
	head, err := event.ReadHead(feed, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return event.Event{
		ID: event.ID("acme", feed, head.UUID), Type: event.TypeOnePassword, Kind: feed.Kind(), Source: "acme",
		Time: head.Timestamp, Received: head.Timestamp, Raw: []byte(raw),
	}
}

func signinAt(t *testing.T, id, at, address, location string) event.Event {
	t.Helper()
	return payload(t, event.FeedSigninAttempts, fmt.Sprintf(`{"uuid":%q,"session_uuid":"R5TQ2WNBHX7CJ4KLMZ6DVYA3SE","timestamp":%q,
		"category":"success","type":"mfa_ok","country":"CA","details":null,
		"target_user":{"uuid":"H4NJX2CQ7WLTZ5KBRM3DVYS6AE","name":"Ines Okafor","email":"ines@example.test"},
		"client":{"app_name":"1Password for Mac","app_version":"81102034","ip_address":%q},"location":%s}`, id, at, address, location))
}

const (
	ottawa    = `{"country":"CA","region":"Ontario","city":"Ottawa","latitude":45.42,"longitude":-75.69}`
	gatineau  = `{"country":"CA","region":"Quebec","city":"Gatineau","latitude":45.48,"longitude":-75.7}`
	rennes    = `{"country":"FR","region":"Brittany","city":"Rennes","latitude":48.11,"longitude":-1.67}`
	halfKnown = `{"country":"FR","region":"Brittany","city":"Rennes","latitude":48.11}`
)

// From the API's own objects to an alert that shows both places: Ottawa and
// Rennes are 5,421.5 km apart, at 900 km/h six hours and 86 seconds.
func TestTravelFromPayloads(t *testing.T) {
	set := loadRules(t, travelRules)
	events := []event.Event{
		signinAt(t, "QZ3LM7TYB2RVKD5WXN4HCJ6AE1", "2026-05-04T08:15:02.113Z", "203.0.113.24", ottawa),
		signinAt(t, "QZ3LM7TYB2RVKD5WXN4HCJ6AE2", "2026-05-04T09:15:02.113Z", "203.0.113.25", gatineau),
		signinAt(t, "QZ3LM7TYB2RVKD5WXN4HCJ6AE3", "2026-05-04T09:20:02.113Z", "198.51.100.8", halfKnown),
		signinAt(t, "QZ3LM7TYB2RVKD5WXN4HCJ6AE4", "2026-05-04T14:16:28Z", "198.51.100.7", rennes),
		signinAt(t, "QZ3LM7TYB2RVKD5WXN4HCJ6AE5", "2026-05-04T14:16:29Z", "198.51.100.7", rennes),
	}
	for _, c := range []struct {
		name   string
		events []event.Event
		count  int
		places []alert.Place // newest first
	}{
		{"a neighbouring town, and one without coordinates", events[:3], 0, nil},
		{"too far too soon", []event.Event{events[0], events[3]}, 2, []alert.Place{{IP: "198.51.100.7", Country: "FR", City: "Rennes"}, {IP: "203.0.113.24", Country: "CA", City: "Ottawa"}}},
		{"with a flight between", []event.Event{events[0], events[4]}, 0, nil},
		{"all", events, 4, []alert.Place{{IP: "198.51.100.7", Country: "FR", City: "Rennes"}, {IP: "203.0.113.25", Country: "CA", City: "Gatineau"}, {IP: "203.0.113.24", Country: "CA", City: "Ottawa"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			alerts, err := Evaluate(set, c.events)
			if err != nil {
				t.Fatal(err)
			}
			if c.count == 0 {
				if len(alerts) != 0 {
					t.Fatalf("%d alerts, want none", len(alerts))
				}
				return
			}
			if len(alerts) != 1 {
				t.Fatalf("%d alerts, want 1", len(alerts))
			}
			a := alerts[0]
			if a.Count != c.count || !slices.Equal(a.Places, c.places) || len(a.People) != 1 || a.People[0].Name != "Ines Okafor" {
				t.Errorf("%d events, places %v, people %v; want %d, %v", a.Count, a.Places, a.People, c.count, c.places)
			}
		})
	}
}

func TestTogetherFromPayloads(t *testing.T) {
	set := loadRules(t, travelRules)
	audit := func(id, at, action, object string) event.Event {
		return payload(t, event.FeedAuditEvents, fmt.Sprintf(`{"uuid":%q,"timestamp":%q,
			"actor_uuid":"H4NJX2CQ7WLTZ5KBRM3DVYS6AE","actor_details":{"uuid":"H4NJX2CQ7WLTZ5KBRM3DVYS6AE","name":"Ines Okafor","email":"ines@example.test"},
			"action":%q,"object_type":"user","object_uuid":%q,"session":{"uuid":"R5TQ2WNBHX7CJ4KLMZ6DVYA3SE","ip":"203.0.113.24"},"location":%s}`,
			id, at, action, object, ottawa))
	}
	pavel, tove := "T7XQBN2HWZ4KCJ5RLM6DVYA3SE", "T7XQBN2HWZ4KCJ5RLM6DVYA3SF"
	alerts, err := Evaluate(set, []event.Event{
		audit("M2NXQ7BTHW5ZCJ4KRL6DVYA3S1", "2026-05-04T09:01:10.24645983Z", "beginr", pavel),
		audit("M2NXQ7BTHW5ZCJ4KRL6DVYA3S2", "2026-05-04T09:31:10.24645983Z", "disblmfa", pavel),
		audit("M2NXQ7BTHW5ZCJ4KRL6DVYA3S3", "2026-05-04T09:31:11Z", "disblmfa", tove),
		audit("M2NXQ7BTHW5ZCJ4KRL6DVYA3S4", "2026-05-04T10:31:11.000000001Z", "beginr", tove),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(alerts) != 1 || !slices.Equal(alerts[0].Key, []string{pavel}) || alerts[0].Count != 2 ||
		alerts[0].Steps[0] != (alert.Step{Name: "off", Count: 1}) || alerts[0].Evidence[0].Step != "recovery" {
		t.Errorf("have %+v", alerts)
	}
}

// A sign-in that comes late completes a journey, joins two, and is known again
// after a restart; one that came before all that is held is rebuilt.
func TestTravelInAWorker(t *testing.T) {
	h := newHouse(t, loadRules(t, map[string]string{"travel": testRules["travel"]}))
	var s story
	m := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	live := func() []alert.Alert {
		h.serve()
		h.check()
		return slices.DeleteFunc(h.alerts(), func(a alert.Alert) bool { return !a.Status.Live() })
	}
	// Two journeys of a minute, four hours apart; between them one could fly.
	h.publish("acme", m(500),
		s.failed("acme", "bob", "192.0.2.1", m(0)), s.failed("acme", "bob", "192.0.2.2", m(1)),
		s.failed("acme", "bob", "192.0.2.9", m(120)), // nobody knows where
		s.failed("acme", "bob", "192.0.2.1", m(400)), s.failed("acme", "bob", "192.0.2.2", m(401)))
	before := live()
	if len(before) != 2 || len(before[0].Places) != 2 || before[0].Count != 2 {
		t.Fatalf("two journeys make %+v", before)
	}
	h.publish("acme", m(501), s.failed("acme", "bob", "192.0.2.1", m(200)))
	after := live()
	if len(after) != 1 || after[0].Count != 5 || after[0].ID != before[0].ID || !after[0].Late {
		t.Fatalf("with the late one they make %+v", after)
	}
	// Days later, from before all of them.
	h.publish("acme", m(10*24*60), s.failed("acme", "eve", "192.0.2.1", m(10*24*60)))
	live()
	h.publish("acme", m(10*24*60), s.failed("acme", "bob", "192.0.2.2", m(-300)))
	if again := live(); len(again) != 1 || again[0].Count != 6 || again[0].ID != before[0].ID {
		t.Fatalf("with the very late one they make %+v", again)
	}
}

// A person who is everywhere: what the bound on places cuts is counted, the
// alert says that it is truncated, and what is older is not read again.
func TestTooManyPlaces(t *testing.T) {
	h := newHouse(t, loadRules(t, map[string]string{"travel": testRules["travel"]}))
	var s story
	var events []event.Event
	m := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	for i := range 300 {
		ip := fmt.Sprintf("192.0.2.%d", i%250)
		where := fmt.Sprintf(`"category":"credentials_failed","client":{"ip_address":%q},"location":{"latitude":%d,"longitude":%d}`, ip, i%100-50, i)
		if i > 180 {
			where = fmt.Sprintf(`"category":"credentials_failed","client":{"ip_address":%q},"location":{"latitude":%d,"longitude":%d}`, ip, i%100-50, i-360)
		}
		events = append(events, s.event(event.FeedSigninAttempts, "acme", "bob", m(i), where))
	}
	h.publish("acme", m(300), events...)
	w := h.worker()
	st := run(t, w, 100)
	if st.trimmed != 300-256 {
		t.Errorf("%d hits cut, want %d", st.trimmed, 300-256)
	}
	h.publish("acme", m(301), s.failed("acme", "bob", "192.0.2.1", m(1)))
	for st.position < h.markers["progress.acme.signinattempts"] {
		step(t, st, 100)
	}
	if st.rebuilt != 0 || st.tooLate != 1 {
		t.Errorf("%d keys rebuilt, %d events too late; want none, 1", st.rebuilt, st.tooLate)
	}
	st.report()
	if status := w.Status(); status.Trimmed != 44 {
		t.Errorf("status %+v", status)
	}
	if all := h.alerts(); len(all) != 1 || all[0].Count != 300 || !all[0].Truncated {
		t.Errorf("alerts %+v", all)
	}
}
