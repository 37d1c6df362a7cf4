package event

import (
	"fmt"
	"strings"
	"time"

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
		Category: p.Category, Type: p.Type, Country: Country(p.Country),
		SessionUUID: p.SessionUUID, Outcome: OutcomeFailure,
	}
	if p.Details != nil {
		f.Signin.Details = p.Details.Value
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
	f.Item = Item{Action: p.Action, VaultUUID: p.VaultUUID, ItemUUID: p.ItemUUID, UsedVersion: int(p.UsedVersion)}
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
	f.User.UUID = firstOf(f.User.UUID, p.ActorUUID)
	f.User.Type = firstOf(f.User.Type, p.ActorType)
	f.Client.IP = p.Session.IP
	f.Audit = Audit{
		Action: p.Action, ObjectType: p.ObjectType, ObjectUUID: p.ObjectUUID, Object: p.ObjectDetails.person(),
		AuxID: int(p.AuxID), AuxUUID: p.AuxUUID, Aux: p.AuxDetails.person(), AuxInfo: p.AuxInfo,
		SessionUUID: p.Session.UUID, DeviceUUID: p.Session.DeviceUUID,
	}
}

func (u APIUser) fields() User {
	return User{
		UUID: u.UUID, Name: u.Name, Email: u.Email, Type: u.UserType,
		Service: strings.HasSuffix(strings.ToLower(u.Email), serviceDomain),
	}
}

func (u APIUser) person() Person { return Person{UUID: u.UUID, Name: u.Name, Email: u.Email} }

func (c APIClient) fields() Client {
	return Client{
		IP: c.IPAddress, AppName: c.AppName, AppVersion: c.AppVersion,
		PlatformName: c.PlatformName, PlatformVersion: c.PlatformVersion,
		OSName: c.OSName, OSVersion: c.OSVersion,
	}
}

func (l APILocation) fields() Location {
	out := Location{Country: Country(l.Country), Region: l.Region, City: l.City}
	if l.Latitude != nil && l.Longitude != nil {
		out.Latitude, out.Longitude, out.Known = *l.Latitude, *l.Longitude, true
	}
	return out
}
