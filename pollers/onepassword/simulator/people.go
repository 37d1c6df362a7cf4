package simulator

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// person is somebody, or some machine, that acts in an account.
type person struct {
	uuid  string
	name  string
	email string

	role    role
	devices []device
	// spots are where the person connects from: office, home, on the way.
	spots  []spot
	vaults []int // indices into World.vaults, those the person has access to

	starts  time.Duration // when the working day begins, on the local clock
	works   time.Duration // how long it is
	pace    float64       // this person's share of activity, about 1
	exports bool          // exports single items now and then, as part of the work
	trip    *trip

	// leaves is when the person is suspended and acts no more; zero: never.
	leaves time.Time
	// cast holds the spans in which a story has the person: ordinary life then
	// makes no sign-in attempt, so that the story's evidence is the story's alone.
	cast []span
	// extra people were brought in for a story and have no ordinary life.
	extra bool
}

type role uint8

const (
	roleMember role = iota
	roleAdmin
	roleService
	roleBridge // the SCIM bridge, which provisions people
)

// span is a stretch of time, both ends included.
type span struct{ from, to time.Time }

func (p *person) busyAt(t time.Time) bool {
	for _, s := range p.cast {
		if !t.Before(s.from) && !t.After(s.to) {
			return true
		}
	}
	return false
}

func (p *person) goneAt(t time.Time) bool { return !p.leaves.IsZero() && !t.Before(p.leaves) }

// trip is some days of work from another office. The days before and after it
// are spent on the way, so that nobody is in two countries within hours.
type trip struct {
	first, last int // days since the world's start, included
	spot        spot
}

// away says whether the day is spent on a trip, and whether on the way.
func (t *trip) away(day int) (there, onTheWay bool) {
	if t == nil {
		return false, false
	}
	return day >= t.first && day <= t.last, day == t.first-1 || day == t.last+1
}

// device is a 1Password app on something.
type device struct {
	uuid            string
	app             string
	appVersion      string
	platform        string
	platformVersion string
	os              string
	osVersion       string
}

var (
	scriptTool  = device{app: "1Password CLI", appVersion: "2310002", platform: "Linux", platformVersion: "amd64", os: "Linux", osVersion: "6.10.5"}
	sdkTool     = device{app: "1Password SDK", appVersion: "0030101", platform: "Go", platformVersion: "amd64", os: "Linux", osVersion: "6.8.0"}
	bridgeTool  = device{app: "1Password SCIM Bridge", appVersion: "2090700", platform: "", platformVersion: "", os: "Linux", osVersion: "6.1.0"}
	strangeTool = device{app: "1Password for Web", appVersion: "1817", platform: "Firefox", platformVersion: "128.0", os: "Linux", osVersion: ""}
)

// newDevices gives a person a computer, a browser on it and mostly a phone.
func newDevices(r *rand.Rand, uuid func(n int) string, given string) []device {
	host := strings.ToLower(given)
	browser := device{app: "1Password Browser Extension", appVersion: "81104", platform: "Chrome", platformVersion: "138.0.7204.50"}
	var computer device
	switch r.IntN(3) {
	case 0:
		computer = device{app: "1Password for Mac", appVersion: "81102034", platform: host + "-mbp", platformVersion: "Mac15,3", os: "MacOSX", osVersion: "15.4"}
	case 1:
		computer = device{app: "1Password for Windows", appVersion: "81102034", platform: "LAPTOP-" + strings.ToUpper(host), platformVersion: "", os: "Windows", osVersion: "10.0.26100"}
	default:
		computer = device{app: "1Password for Linux", appVersion: "81102011", platform: host + "-thinkpad", platformVersion: "", os: "Linux", osVersion: "6.10.5"}
	}
	browser.os, browser.osVersion = computer.os, computer.osVersion
	all := []device{computer, browser}
	switch r.IntN(4) {
	case 0:
		all = append(all, device{app: "1Password for Android", appVersion: "81103000", platform: "Pixel 8", platformVersion: "", os: "Android", osVersion: "15"})
	case 1, 2:
		all = append(all, device{app: "1Password for iOS", appVersion: "81101107", platform: given + "'s iPhone", platformVersion: "iPhone15,2", os: "iOS", osVersion: "18.4"})
	}
	for i := range all {
		all[i].uuid = uuid(i)
	}
	return all
}

// newPerson makes the n-th person of the account.
func (w *World) newPerson(n int, who role) *person {
	r := newRand(w.seed, saltPerson, uint64(n))
	given, family := pick(r, givenNames), pick(r, familyNames)
	p := &person{
		uuid: upperUUID(w.seed, saltPerson, uint64(n)),
		name: given + " " + family,
		email: fmt.Sprintf("%s.%s%d@%s", strings.ToLower(given), strings.ToLower(strings.ReplaceAll(family, "'", "")), n,
			w.domain),
		role:    who,
		starts:  8*time.Hour + time.Duration(r.IntN(90))*time.Minute,
		works:   8*time.Hour + time.Duration(r.IntN(60))*time.Minute,
		pace:    0.5 + r.Float64(),
		exports: who == roleMember && chance(r, 0.1),
	}
	office := w.offices[r.IntN(len(w.offices))]
	home, road := spot{office.city, address(w.number, 16+2*n)}, spot{office.city, address(w.number, 17+2*n)}
	switch who {
	case roleService:
		p.name = fmt.Sprintf("%s deploy %d", strings.ToLower(family), n)
		p.email = fmt.Sprintf("%s%s", strings.ToLower(upperUUID(w.seed, saltPerson, uint64(n))[:13]), serviceDomain)
		p.devices = []device{pick(r, []device{scriptTool, sdkTool})}
		p.spots = []spot{home}
	case roleBridge:
		p.name = "Provisioning"
		p.email = fmt.Sprintf("%s%s", strings.ToLower(upperUUID(w.seed, saltPerson, uint64(n))[:13]), serviceDomain)
		p.devices = []device{bridgeTool}
		p.spots = []spot{home}
	default:
		p.devices = newDevices(r, func(i int) string { return lowerUUID(w.seed, saltDevice, uint64(n), uint64(i)) }, given)
		p.spots = []spot{office, home, road}
	}
	for i := range p.devices {
		if p.devices[i].uuid == "" {
			p.devices[i].uuid = lowerUUID(w.seed, saltDevice, uint64(n), uint64(i))
		}
	}
	// The last quarter of the vaults is nobody's in ordinary life: it is what
	// an administrator of a story gives himself.
	for range between(r, 2, 5) {
		p.vaults = append(p.vaults, r.IntN(len(w.vaults)-w.reserved))
	}
	return p
}

// serviceDomain is the mail domain under which service accounts, the SCIM
// bridge and other integrations are seen as users.
const serviceDomain = "@1passwordserviceaccounts.com"
