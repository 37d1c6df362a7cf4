package event

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-json"
)

// line is a line of a file of events, in either of its forms. The API's object
// stands in Event, an envelope's in Raw; only an envelope has the fields between.
type line struct {
	Feed   Feed            `json:"feed"`
	Source string          `json:"source"`
	Event  json.RawMessage `json:"event"`

	ID          string    `json:"id"`
	Type        string    `json:"type"`
	Kind        Kind      `json:"kind"`
	Account     string    `json:"account"`
	Time        time.Time `json:"time"`
	Received    time.Time `json:"received"`
	Historical  bool      `json:"historical"`
	TimeSuspect bool      `json:"time_suspect"`
	Late        bool      `json:"late"`

	Raw json.RawMessage `json:"raw"`
}

// ReadLine reads one line of a file of events (NDJSON) and decodes it once:
//
//	{"feed":"itemusages","event":{…the API's own object…},"source":"acme"}
//	{"id":…,"kind":…,"source":…,"time":…,"raw":{…}}    an envelope as EVENTS stores it
//
// A line of the first form may leave out its source, and is then of the one given.
// The error says what is wrong with the line and what would be right.
func ReadLine(data []byte, source string) (Event, Fields, error) {
	var l line
	if err := json.Unmarshal(data, &l); err != nil {
		return Event{}, Fields{}, fmt.Errorf("no JSON object of an event: %w", err)
	}
	switch {
	case len(l.Event) > 0 && len(l.Raw) > 0:
		return Event{}, Fields{}, errors.New(`it has both "event" and "raw": a line is the API's object or an envelope`)
	case len(l.Raw) > 0:
		return l.envelope()
	case len(l.Event) > 0:
		if l.Source == "" {
			l.Source = source
		}
		return l.object()
	}
	return Event{}, Fields{}, errors.New(`it is neither {"feed":"…","event":{…}} nor an envelope with "id" and "raw"`)
}

// envelope is a line that says all of the event.
func (l *line) envelope() (Event, Fields, error) {
	e := Event{
		ID: l.ID, Type: l.Type, Kind: l.Kind, Source: l.Source, Account: l.Account, Time: l.Time.UTC(), Received: l.Received.UTC(),
		Historical: l.Historical, TimeSuspect: l.TimeSuspect, Late: l.Late, Raw: l.Raw,
	}
	if err := e.complete(); err != nil {
		return Event{}, Fields{}, err
	}
	f, err := e.Fields()
	return e, f, err
}

// object is a line with the API's own object, of which the envelope is made as
// a poller makes it.
func (l *line) object() (Event, Fields, error) {
	var h Head
	var err error
	f := Fields{Kind: string(l.Feed.Kind()), Source: l.Source}
	switch l.Feed {
	case FeedSigninAttempts:
		var p SigninAttempt
		if err = json.Unmarshal(l.Event, &p); err == nil {
			h = p.head()
			f.setSignin(&p)
		}
	case FeedItemUsages:
		var p ItemUsage
		if err = json.Unmarshal(l.Event, &p); err == nil {
			h = p.head()
			f.setItem(&p)
		}
	case FeedAuditEvents:
		var p AuditEvent
		if err = json.Unmarshal(l.Event, &p); err == nil {
			h = p.head()
			f.setAudit(&p)
		}
	default:
		return Event{}, Fields{}, fmt.Errorf("unknown feed %q: want %s", l.Feed, feedNames())
	}
	if err != nil {
		return Event{}, Fields{}, fmt.Errorf("%s object: %w", l.Feed, err)
	}
	if h, err = h.checked(l.Feed); err != nil {
		return Event{}, Fields{}, err
	}
	f.ID, f.Time, f.Account = ID(l.Source, l.Feed, h.UUID), h.Timestamp, h.AccountUUID
	return Event{
		ID: f.ID, Type: TypeOnePassword, Kind: l.Feed.Kind(), Source: l.Source, Account: f.Account,
		Time: f.Time, Received: f.Time, Raw: l.Event,
	}, f, nil
}

func feedNames() string {
	var names []string
	for _, f := range Feeds {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}
