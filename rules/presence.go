package rules

import (
	"slices"
	"strings"

	"watchword/bus/event"
)

// What 1Password's reference for its Events API (v2) and public samples say of
// fields that are absent: an absent field is empty, and an event whose key is
// empty is left out.

// absence says when a field is absent.
type absence struct {
	field string // or several: location.
	kind  event.Kind
	why   string

	// unless: it is there in events with one of these values of a field.
	unless map[string][]string
}

// never are fields that no event of the kind has: audit events have no client
// object but the session's address, and each kind's record is its own.
var never = []absence{
	{"client.app_name", event.KindAudit, "audit events do not say the app", nil},
	{"client.app_version", event.KindAudit, "audit events do not say the app", nil},
	{"client.platform_name", event.KindAudit, "audit events do not say the device", nil},
	{"client.platform_version", event.KindAudit, "audit events do not say the device", nil},
	{"client.os_name", event.KindAudit, "audit events do not say the operating system", nil},
	{"client.os_version", event.KindAudit, "audit events do not say the operating system", nil},
}

// often are fields that many events lack; the kind is empty where that is so
// for all.
var often = []absence{
	{"location.", "", "events of all kinds can come without a place, or with only a part of it", nil},
	{"account", "", "only accounts managed by a partner say it in each event", nil},
	{"user.type", event.KindSignin, "of sign-ins, only those to accounts managed by a partner have it", nil},
	{"user.type", event.KindItem, "of item usages, only those in accounts managed by a partner have it", nil},
	{"signin.country", event.KindSignin, "it can be absent", nil},
	{"signin.details", event.KindSignin, "only attempts that a firewall rule decided have it",
		map[string][]string{"signin.category": {"firewall_failed", "firewall_reported_success"}}},
	{"audit.object.", event.KindAudit, "it is there only where the object is a person",
		map[string][]string{"audit.object_type": {"user"}}},
	{"audit.aux.", event.KindAudit, "it is there only where the second thing is a person",
		map[string][]string{"audit.object_type": {"uva", "gm", "device"}, "audit.action": {"join", "leave", "role"}}},
	{"audit.aux_uuid", event.KindAudit, "most audit events have no second thing",
		map[string][]string{"audit.object_type": {"uva", "gva", "gm", "dlgdsess"}, "audit.action": {"grant", "revoke", "join", "leave", "role"}}},
	{"audit.aux_info", event.KindAudit, "only memberships of groups have it",
		map[string][]string{"audit.object_type": {"gm"}, "audit.action": {"join", "role"}}},
}

// absentIn finds why a field is absent from events of the kind that meet the
// constraints.
func absentIn(facts []absence, path string, kind event.Kind, demands map[string]constraint) (why string, ok bool) {
	if c, ok := demands[path]; ok && !c.test("") {
		return "", false // the step leaves out events without it
	}
	if strings.HasPrefix(path, "location.") && demands["location.known"].only("true") {
		return "", false
	}
	i := slices.IndexFunc(facts, func(a absence) bool {
		if a.kind != "" && a.kind != kind || path != a.field && (!strings.HasSuffix(a.field, ".") || !strings.HasPrefix(path, a.field)) {
			return false
		}
		for field, values := range a.unless {
			if demands[field].only(values...) {
				return false
			}
		}
		return true
	})
	if i < 0 {
		return "", false
	}
	return facts[i].why, true
}
