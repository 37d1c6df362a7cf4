package bus

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"watchword/bus/alert"
	"watchword/bus/event"
)

// The streams.
const (
	Events = "EVENTS" // events, quarantined records, progress markers
	Alerts = "ALERTS" // alert revisions and ledgers
)

// Partitions is how many parts the keys of all rules are spread over. It is
// part of what is stored (ledger subjects) and never changes.
const Partitions = 64

// None stands in a subject where there is no entity.
const None = "_"

// EventSubject is where an event is published:
// events.<type>.<kind>.<source>.<entity>, the entity being the acting person's uuid.
func EventSubject(e *event.Event, entity string) string {
	return strings.Join([]string{"events", token(e.Type), token(string(e.Kind)), token(e.Source), token(entity)}, ".")
}

// EventFilter selects events; an empty part selects all.
func EventFilter(typ string, kind event.Kind, source, entity string) string {
	return strings.Join([]string{"events", wild(typ), wild(string(kind)), wild(source), wild(entity)}, ".")
}

// AllEvents selects every event, AllProgress every marker, AllQuarantined every record set aside.
const (
	AllEvents      = "events.>"
	AllProgress    = "progress.>"
	AllQuarantined = "quarantine.>"
	AllAlerts      = "alerts.>"
	AllLedgers     = "ledger.>"
)

// ProgressSubject is where a feed's marker is kept: progress.<source>.<feed>.
func ProgressSubject(source string, feed event.Feed) string {
	return "progress." + token(source) + "." + token(string(feed))
}

// QuarantineSubject is where records that cannot be read are set aside:
// quarantine.<type>.<kind>.<source>.
func QuarantineSubject(typ string, kind event.Kind, source string) string {
	return strings.Join([]string{"quarantine", token(typ), token(string(kind)), token(source)}, ".")
}

// AlertSubject is where a revision of an alert is published:
// alerts.<status>.<severity>.<rule>.<id>.
func AlertSubject(a *alert.Alert) string {
	return strings.Join([]string{"alerts", token(string(a.Status)), token(string(a.Severity)), token(a.Rule), token(a.ID)}, ".")
}

// AlertFilter selects alert revisions; an empty part selects all.
func AlertFilter(status alert.Status, severity alert.Severity, rule, id string) string {
	return strings.Join([]string{"alerts", wild(string(status)), wild(string(severity)), wild(rule), wild(id)}, ".")
}

// LedgerSubject is where a partition's ledger is kept: ledger.<partition>.
func LedgerSubject(partition int) string { return "ledger." + strconv.Itoa(partition) }

// maxToken is the longest token in bytes. A server closes the connection of a
// client whose line, with all tokens of a subject, is longer than 4096.
const maxToken = 160

// token makes any string one subject token. Letters, digits, '-' and '_' stay;
// every other byte becomes %XX, so different strings never share a subject. What
// would be too long becomes %H and a hash.
func token(s string) string {
	t := escaped(s)
	if len(t) <= maxToken {
		return t
	}
	sum := sha256.Sum256([]byte(s))
	return "%H" + hex.EncodeToString(sum[:])
}

func escaped(s string) string {
	if s == "" {
		return None
	}
	plain := s != None
	for i := 0; i < len(s) && plain; i++ {
		plain = isPlain(s[i])
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if isPlain(s[i]) && s != None {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

func wild(s string) string {
	if s == "" {
		return "*"
	}
	return token(s)
}

// everything is the filter that selects all subjects.
const everything = ">"

// matches tells whether a filter selects a subject, as a NATS server does: '*'
// stands for one token, '>' at the end for one or more.
func matches(filter, subject string) bool {
	for {
		f, frest, fmore := strings.Cut(filter, ".")
		if f == everything && !fmore {
			return subject != ""
		}
		s, srest, smore := strings.Cut(subject, ".")
		if f != "*" && f != s || fmore != smore {
			return false
		}
		if !fmore {
			return true
		}
		filter, subject = frest, srest
	}
}
