package event

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-json"
)

// Fields is one event as rules see it: normalised over the kinds, every field
// a value (an absent one is zero), never changed after it is made.
//
// The tags are the names of the rule language. Its names are 1Password's own
// where 1Password has one.
type Fields struct {
	ID      string    `expr:"id"`
	Kind    string    `expr:"kind"`
	Time    time.Time `expr:"time"`
	Source  string    `expr:"source"`
	Account string    `expr:"account"`

	User     User     `expr:"user"`
	Client   Client   `expr:"client"`
	Location Location `expr:"location"`

	Signin Signin `expr:"signin"`
	Item   Item   `expr:"item"`
	Audit  Audit  `expr:"audit"`
}

// User is who acted, whatever the API calls it.
type User struct {
	UUID    string `expr:"uuid"`
	Name    string `expr:"name"`
	Email   string `expr:"email"`
	Type    string `expr:"type"`    // "user", "external_user" or empty
	Service bool   `expr:"service"` // a service account, SCIM bridge or other integration
}

// Client is where from. For audit events only IP is known: the session's.
type Client struct {
	IP              string `expr:"ip"`
	AppName         string `expr:"app_name"`
	AppVersion      string `expr:"app_version"`
	PlatformName    string `expr:"platform_name"`
	PlatformVersion string `expr:"platform_version"`
	OSName          string `expr:"os_name"`
	OSVersion       string `expr:"os_version"`
}

// Location is what the address is thought to be at event time.
type Location struct {
	Country   string  `expr:"country"` // ISO 3166-1 alpha-2; as sent where it is no known country
	Region    string  `expr:"region"`
	City      string  `expr:"city"`
	Latitude  float64 `expr:"latitude"`
	Longitude float64 `expr:"longitude"`
	Known     bool    `expr:"known"` // both coordinates were given
}

// Signin is a sign-in attempt's own part.
type Signin struct {
	Category    string `expr:"category"`
	Type        string `expr:"type"`
	Country     string `expr:"country"` // ISO 3166-1 alpha-2, from the attempt itself
	Details     string `expr:"details"` // what a firewall rule matched
	SessionUUID string `expr:"session_uuid"`
	Outcome     string `expr:"outcome"` // "success" or "failure"
}

// Item is an item usage's own part.
type Item struct {
	Action      string `expr:"action"`
	VaultUUID   string `expr:"vault_uuid"`
	ItemUUID    string `expr:"item_uuid"`
	UsedVersion int    `expr:"used_version"`
}

// Audit is an audit event's own part.
type Audit struct {
	Action      string `expr:"action"`
	ObjectType  string `expr:"object_type"`
	ObjectUUID  string `expr:"object_uuid"`
	Object      Person `expr:"object"` // set where the object is a user
	AuxID       int    `expr:"aux_id"`
	AuxUUID     string `expr:"aux_uuid"`
	Aux         Person `expr:"aux"` // set where the secondary thing is a user
	AuxInfo     string `expr:"aux_info"`
	SessionUUID string `expr:"session_uuid"`
	DeviceUUID  string `expr:"device_uuid"`
}

// Person is a user that an audit event is about, as against the one who acted.
type Person struct {
	UUID  string `expr:"uuid"`
	Name  string `expr:"name"`
	Email string `expr:"email"`
}

// MaxText is the longest text, in bytes, that rules, keys and alerts see of a
// field: what is longer is cut there. The event keeps it whole in Raw.
const MaxText = 512

// cut bounds a text without splitting a rune.
func cut(s string) string {
	if len(s) <= MaxText {
		return s
	}
	n := MaxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Outcomes of a sign-in attempt.
const (
	OutcomeSuccess = "success"
	OutcomeFailure = "failure"
)

// serviceDomain is the mail domain of service accounts and integrations, seen
// in public samples and rules; not in 1Password's reference.
const serviceDomain = "@1passwordserviceaccounts.com"

// Fields reads the raw object and normalises it.
func (e *Event) Fields() (Fields, error) {
	f := Fields{ID: e.ID, Kind: string(e.Kind), Time: e.Time, Source: e.Source, Account: e.Account}
	var err error
	switch e.Kind {
	case KindSignin:
		err = f.readSignin(e.Raw)
	case KindItem:
		err = f.readItem(e.Raw)
	case KindAudit:
		err = f.readAudit(e.Raw)
	default:
		err = fmt.Errorf("unknown kind %q", e.Kind)
	}
	if err != nil {
		return Fields{}, fmt.Errorf("event %s: %w", e.ID, err)
	}
	return f, nil
}

func (f *Fields) readSignin(raw []byte) error {
	var p SigninAttempt
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	f.setSignin(&p)
	return nil
}

func (f *Fields) setSignin(p *SigninAttempt) {
	f.User, f.Client, f.Location = p.TargetUser.fields(), p.Client.fields(), p.Location.fields()
	f.Signin = Signin{
		Category: cut(p.Category), Type: cut(p.Type), Country: cut(Country(p.Country)),
		SessionUUID: cut(p.SessionUUID), Outcome: OutcomeFailure,
	}
	if p.Details != nil {
		f.Signin.Details = cut(p.Details.Value)
	}
	if p.Category == "success" || p.Category == "firewall_reported_success" {
		f.Signin.Outcome = OutcomeSuccess
	}
}

func (f *Fields) readItem(raw []byte) error {
	var p ItemUsage
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	f.setItem(&p)
	return nil
}

func (f *Fields) setItem(p *ItemUsage) {
	f.User, f.Client, f.Location = p.User.fields(), p.Client.fields(), p.Location.fields()
	f.Item = Item{Action: cut(p.Action), VaultUUID: cut(p.VaultUUID), ItemUUID: cut(p.ItemUUID), UsedVersion: int(p.UsedVersion)}
}

func (f *Fields) readAudit(raw []byte) error {
	var p AuditEvent
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	f.setAudit(&p)
	return nil
}

func (f *Fields) setAudit(p *AuditEvent) {
	f.User, f.Location = p.ActorDetails.fields(), p.Location.fields()
	f.User.UUID = firstOf(f.User.UUID, cut(p.ActorUUID))
	f.User.Type = firstOf(f.User.Type, cut(p.ActorType))
	f.Client.IP = cut(p.Session.IP)
	f.Audit = Audit{
		Action: cut(p.Action), ObjectType: cut(p.ObjectType), ObjectUUID: cut(p.ObjectUUID), Object: p.ObjectDetails.person(),
		AuxID: int(p.AuxID), AuxUUID: cut(p.AuxUUID), Aux: p.AuxDetails.person(), AuxInfo: cut(p.AuxInfo),
		SessionUUID: cut(p.Session.UUID), DeviceUUID: cut(p.Session.DeviceUUID),
	}
}

func (u APIUser) fields() User {
	return User{
		UUID: cut(u.UUID), Name: cut(u.Name), Email: cut(u.Email), Type: cut(u.UserType),
		Service: strings.HasSuffix(strings.ToLower(u.Email), serviceDomain),
	}
}

func (u APIUser) person() Person {
	return Person{UUID: cut(u.UUID), Name: cut(u.Name), Email: cut(u.Email)}
}

func (c APIClient) fields() Client {
	return Client{
		IP: cut(c.IPAddress), AppName: cut(c.AppName), AppVersion: cut(c.AppVersion),
		PlatformName: cut(c.PlatformName), PlatformVersion: cut(c.PlatformVersion),
		OSName: cut(c.OSName), OSVersion: cut(c.OSVersion),
	}
}

func (l APILocation) fields() Location {
	out := Location{Country: cut(Country(l.Country)), Region: cut(l.Region), City: cut(l.City)}
	if l.Latitude != nil && l.Longitude != nil {
		out.Latitude, out.Longitude, out.Known = *l.Latitude, *l.Longitude, true
	}
	return out
}
