package main

import (
	"fmt"
	"strings"
	"time"

	"watchword/bus/alert"
	"watchword/bus/event"
)

func (p *program) printEvent(e *event.Event) error {
	line, err := eventLine(e, p.now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, line)
	return err
}

// eventLine tells an event in one line: when, where it was seen, who, what,
// from where. Every part that came from outside is made plain.
func eventLine(e *event.Event, now time.Time) (string, error) {
	f, err := e.Fields()
	if err != nil {
		return "", err
	}
	parts := []string{
		clock(e.Time, now), plain(e.Source), fmt.Sprintf("%-6s", plain(string(e.Kind))),
		person(alert.Person{UUID: f.User.UUID, Name: f.User.Name, Email: f.User.Email}),
		plain(deed(&f)),
		place(alert.Place{IP: f.Client.IP, Country: f.Location.Country, City: f.Location.City}),
		plain(f.Client.AppName),
	}
	var given []string
	for _, p := range parts {
		if p != "" {
			given = append(given, p)
		}
	}
	if e.TimeSuspect {
		given = append(given, "[time is suspect]")
	}
	return strings.Join(given, "  "), nil
}

// deed says what was done, in the API's own words.
func deed(f *event.Fields) string {
	switch event.Kind(f.Kind) {
	case event.KindSignin:
		out := f.Signin.Category
		if f.Signin.Type != "" {
			out += " (" + f.Signin.Type + ")"
		}
		if f.Signin.Details != "" {
			out += " " + f.Signin.Details
		}
		return out
	case event.KindItem:
		return joinWords(f.Item.Action, "item", f.Item.ItemUUID, "vault", f.Item.VaultUUID)
	case event.KindAudit:
		return joinWords(f.Audit.Action, "", f.Audit.ObjectType, "", firstOf(f.Audit.Object.Email, f.Audit.ObjectUUID),
			"about", firstOf(f.Audit.Aux.Email, f.Audit.AuxUUID))
	}
	return f.Kind
}

// joinWords writes the first word, then each label with its value where there
// is a value.
func joinWords(first string, pairs ...string) string {
	out := []string{first}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if pairs[i] != "" {
			out = append(out, pairs[i])
		}
		out = append(out, pairs[i+1])
	}
	return strings.TrimSpace(strings.Join(out, " "))
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
