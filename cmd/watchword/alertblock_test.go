package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"watchword/bus/alert"
	"watchword/bus/event"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func exampleAlert() alert.Alert {
	return alert.Alert{
		ID: "gfeosqo2ztfmon7eqqknkdmf", Status: alert.Opened, Revision: 1, Rule: "export-after-failed-signins", Version: "f40fde7d70f9",
		Title: "Item export after repeated failed sign-ins", Severity: alert.Critical, Source: "acme",
		Key: []string{"VJ677XUOQIJWRYEY5CLJTEWDTP"}, KeyNames: []string{"user.uuid"},
		First: noon.Add(-10 * time.Minute), Last: noon.Add(-3 * time.Minute), Count: 1006,
		Steps: []alert.Step{{Name: "failed", Count: 1005}, {Name: "exported", Count: 1}},
		Evidence: []alert.Evidence{
			{ID: "acme/signinattempts/A", Seq: 1, Step: "failed", Time: noon.Add(-10 * time.Minute)},
			{ID: "acme/signinattempts/B", Seq: 2, Step: "failed", Time: noon.Add(-9 * time.Minute)},
			{ID: "acme/signinattempts/C", Seq: 3, Step: "failed", Time: noon.Add(-8 * time.Minute)},
			{ID: "acme/itemusages/D", Seq: 4, Step: "exported", Time: noon.Add(-3 * time.Minute)},
		},
		People:  []alert.Person{{UUID: "VJ677XUOQIJWRYEY5CLJTEWDTP", Name: "Mateo Vogel", Email: "mateo@acme.example"}},
		Places:  []alert.Place{{IP: "198.51.100.11", Country: "ID", City: "Jakarta"}},
		Runbook: "Ask the person.\nSuspend.\n\nRotate.\nReport.\nRest.\n", Attack: []string{"T1110"}, Late: true,
	}
}

func TestBlock(t *testing.T) {
	a := exampleAlert()
	var b strings.Builder
	block(&b, &a, noon, false, func(e alert.Evidence) string { return e.ID })
	const want = `CRITICAL  Item export after repeated failed sign-ins  [late event]
  who      Mateo Vogel <mateo@acme.example>
  key      user.uuid VJ677XUOQIJWRYEY5CLJTEWDTP, source acme
  when     11:50:00 – 11:57:00 (7m, 3m ago)
  count    1,006 events: failed 1,005, exported 1
  from     198.51.100.11 (Jakarta, ID)
  evidence 11:57:00  exported  acme/itemusages/D
           11:52:00  failed  acme/signinattempts/C
           11:51:00  failed  acme/signinattempts/B
  do       Ask the person.
           Suspend.
           Rotate.
           … (2 more lines)
  rule     export-after-failed-signins  T1110
  alert    gfeosqo2ztfmon7eqqknkdmf
`
	if b.String() != want {
		t.Errorf("want\n%s\ngot\n%s", want, b.String())
	}
}

func TestPeriodOverDays(t *testing.T) {
	for _, c := range []struct {
		first, last time.Time
		want        string
	}{
		{noon.Add(-30 * time.Hour), noon.Add(-29 * time.Hour), "2026-05-03 06:00:00 – 07:00:00 (1h, 1d 5h ago)"},
		{noon.Add(-30 * time.Hour), noon.Add(-time.Hour), "2026-05-03 06:00:00 – 11:00:00 (1d 5h, 1h ago)"},
		{noon, noon, "12:00:00 (now)"},
	} {
		if got := period(c.first, c.last, noon); got != c.want {
			t.Errorf("want %q, got %q", c.want, got)
		}
	}
}

// hostile is what somebody could put into a name to write into a terminal.
const hostile = "a\x1b[2J\x1b]0;owned\x07\r\nCRITICAL\u202e\u009b31m"

// mustBePlain fails on any character that a terminal could act on.
func mustBePlain(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%s prints %U:\n%q", what, r, text)
			return
		}
	}
}

func TestHostileAlertIsPlain(t *testing.T) {
	a := alert.Alert{
		ID: hostile, Status: hostile, Rule: hostile, Version: hostile, Title: hostile, Severity: hostile, Source: hostile,
		Key: []string{hostile}, KeyNames: []string{hostile}, Steps: []alert.Step{{Name: hostile}, {Name: hostile}},
		Evidence: []alert.Evidence{{ID: hostile, Step: hostile}},
		People:   []alert.Person{{Name: hostile, Email: hostile}, {UUID: hostile}},
		Places:   []alert.Place{{IP: hostile, City: hostile, Country: hostile}},
		Runbook:  hostile, Description: hostile, Attack: []string{hostile}, Controls: []string{hostile}, References: []string{hostile},
		FalsePositives: []string{hostile}, MergedInto: hostile, Historical: true,
	}
	var b strings.Builder
	block(&b, &a, noon, false, func(e alert.Evidence) string { return plain(e.ID) })
	p, out, _ := testProgram(t)
	p.showAlert(&a, []storedEvent{{Step: hostile, Event: event.Event{ID: hostile}, Missing: hostile}, {Step: hostile, Event: hostileEvent(t)}})
	p.listAlerts([]alert.Alert{a})
	f := &follower{now: func() time.Time { return noon }}
	d := digest{}
	a.Status = alert.Opened
	d.add(&a)
	for what, text := range map[string]string{
		"block": b.String(), "alerts show and list": out.String(), "a later revision": f.revision(&a), "digest": d.text(noon),
	} {
		if text == "" {
			t.Errorf("%s prints nothing", what)
		}
		mustBePlain(t, what, text)
	}
}

// hostileEvent is a sign-in whose every text is hostile.
func hostileEvent(t *testing.T) event.Event {
	t.Helper()
	raw := fmt.Sprintf(`{"uuid":"U","timestamp":"2026-05-04T12:00:00Z","category":%[1]q,"type":%[1]q,"details":{"value":%[1]q},
		"target_user":{"uuid":"P","name":%[1]q,"email":%[1]q},"client":{"app_name":%[1]q,"ip_address":%[1]q},
		"location":{"country":%[1]q,"city":%[1]q}}`, "MARK")
	// JSON has its own escapes; the bytes are what an API would send.
	raw = strings.ReplaceAll(raw, "MARK", `a\u001b[2J\u001b]0;owned\u0007\r\nCRITICAL\u202e\u009b31m`)
	e := event.Event{ID: "acme/signinattempts/U", Type: event.TypeOnePassword, Kind: event.KindSignin, Source: "acme", Time: noon, Received: noon, Raw: []byte(raw)}
	f, err := e.Fields()
	if err != nil {
		t.Fatal(err)
	}
	if f.User.Name != hostile {
		t.Fatalf("the event is not as hostile as it should be: %q", f.User.Name)
	}
	return e
}

func TestHostileEventIsPlain(t *testing.T) {
	e := hostileEvent(t)
	line, err := eventLine(&e, noon)
	if err != nil {
		t.Fatal(err)
	}
	mustBePlain(t, "event line", line)
	if strings.Contains(line, "\n") || !strings.Contains(line, `\x1b[2J`) {
		t.Errorf("want one line that shows the escapes, got %q", line)
	}
}

func TestEventLines(t *testing.T) {
	for _, c := range []struct {
		kind      event.Kind
		raw, want string
	}{
		{event.KindSignin, `{"category":"firewall_failed","type":"country_blocked","details":{"value":"RU"},"target_user":{"uuid":"P","name":"Ines"},"client":{"ip_address":"203.0.113.9","app_name":"1Password for Mac"},"location":{"country":"RU"}}`,
			"12:00:00  acme  signin  Ines  firewall_failed (country_blocked) RU  203.0.113.9 (RU)  1Password for Mac"},
		{event.KindItem, `{"action":"reveal","item_uuid":"I","vault_uuid":"V","user":{"uuid":"P"}}`,
			"12:00:00  acme  item    P  reveal item I vault V"},
		{event.KindAudit, `{"action":"grant","object_type":"uva","object_uuid":"V","aux_details":{"email":"x@acme.example"},"actor_details":{"email":"a@acme.example"},"session":{"ip":"203.0.113.9"}}`,
			"12:00:00  acme  audit   a@acme.example  grant uva V about x@acme.example  203.0.113.9"},
	} {
		e := event.Event{ID: "acme/x/U", Kind: c.kind, Source: "acme", Time: noon, Raw: []byte(c.raw)}
		if got, err := eventLine(&e, noon); err != nil || got != c.want {
			t.Errorf("want %q\ngot  %q, %v", c.want, got, err)
		}
	}
}

// devNull stands for a terminal: it is a character device, as a terminal is.
func devNull(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestColourOnlyWhenWanted(t *testing.T) {
	a := exampleAlert()
	var with, without strings.Builder
	block(&with, &a, noon, true, func(e alert.Evidence) string { return e.ID })
	block(&without, &a, noon, false, func(e alert.Evidence) string { return e.ID })
	if !strings.Contains(with.String(), "\x1b[") || strings.Contains(without.String(), "\x1b") {
		t.Errorf("colours are not as asked for:\n%q\n%q", with.String(), without.String())
	}
	if colourWanted(devNull(t), nil) != true {
		t.Error("a character device is no terminal?")
	}
	if colourWanted(devNull(t), []string{"NO_COLOR=1"}) || colourWanted(devNull(t), []string{"TERM=dumb"}) {
		t.Error("NO_COLOR and TERM=dumb must turn colours off")
	}
}
