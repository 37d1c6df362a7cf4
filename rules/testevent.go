package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"watchword/bus/event"
)

// Base is the time that `at` of a test event counts from.
var Base = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

const (
	defaultSource = "test"
	maxRepeat     = 10_000
)

// testEvent is an entry of events: as it is written.
type testEvent struct {
	node   *yaml.Node
	feed   event.Feed
	fields *yaml.Node // the API's own fields, said by signin, item or audit
	raw    *yaml.Node
	file   *yaml.Node

	user, client, location map[string]any
	source                 string
	at                     time.Duration
	repeat                 int
	every                  time.Duration
}

// readEvent reads one entry and makes the events it stands for.
func (p *testParser) readEvent(n *yaml.Node) []event.Event {
	e := testEvent{node: n, source: p.source, repeat: 1, client: map[string]any{}, location: map[string]any{}}
	before := len(p.problems)
	ofKind := func(feed event.Feed) func(*yaml.Node) {
		return func(n *yaml.Node) {
			if e.feed != "" {
				p.errorAt(n.Line, n.Column, "write two", "an event is of one kind, and this one is a %s already", e.feed.Kind())
			}
			e.feed, e.fields = feed, n
		}
	}
	seen := readMap(p.text, n, map[string]func(*yaml.Node){
		"signin":   ofKind(event.FeedSigninAttempts),
		"item":     ofKind(event.FeedItemUsages),
		"audit":    ofKind(event.FeedAuditEvents),
		"raw":      func(n *yaml.Node) { e.raw = n },
		"file":     func(n *yaml.Node) { e.file = n },
		"user":     func(n *yaml.Node) { e.user = p.readUser(n) },
		"source":   func(n *yaml.Node) { e.source = readLine(p.text, n, "source") },
		"at":       func(n *yaml.Node) { e.at = p.readOffset(n, "at") },
		"every":    func(n *yaml.Node) { e.every = p.readOffset(n, "every") },
		"repeat":   func(n *yaml.Node) { e.repeat = p.readCount(n, "repeat", maxRepeat) },
		"ip":       func(n *yaml.Node) { e.client["ip_address"] = readLine(p.text, n, "ip") },
		"country":  func(n *yaml.Node) { e.location["country"] = readLine(p.text, n, "country") },
		"client":   func(n *yaml.Node) { merge(e.client, p.readRecord(n, apiClient, "client")) },
		"location": func(n *yaml.Node) { merge(e.location, p.readRecord(n, apiLocation, "location")) },
	})
	if n.Kind != yaml.MappingNode {
		return nil
	}
	said := 0
	for _, key := range []string{"signin", "item", "audit", "raw", "file"} {
		if seen[key] {
			said++
		}
	}
	if said != 1 && len(p.problems) == before {
		p.errorAt(n.Line, n.Column, "such as {signin: {category: success}, user: mallory}",
			"an event says one of signin, item, audit, raw and file")
	}
	if said == 1 && e.fields == nil {
		for _, key := range []string{"user", "ip", "country", "client", "location"} {
			if seen[key] {
				p.errorAt(n.Line, n.Column, "", "%s goes with signin, item and audit only", key)
			}
		}
	}
	if len(p.problems) > before {
		return nil
	}
	return p.makeEvents(&e, seen["at"])
}

// makeEvents makes the envelopes.
func (p *testParser) makeEvents(e *testEvent, timed bool) []event.Event {
	var out []event.Event
	for i := range e.repeat {
		at := Base.Add(e.at + time.Duration(i)*e.every)
		before := len(p.problems)
		objects := p.objects(e)
		if len(p.problems) > before {
			return nil
		}
		for _, o := range objects {
			if o == nil {
				p.errorAt(e.node.Line, e.node.Column, "", "an event is an object, not null")
				return nil
			}
			o = numbered(o, i+1).(map[string]any)
			if p.count++; p.count > maxCaseEvents {
				p.errorAt(e.node.Line, e.node.Column, "", "the case has more than %d events", maxCaseEvents)
				return nil
			}
			feed := e.feed
			if feed == "" {
				feed = feedOf(o)
			}
			if feed == "" {
				p.errorAt(e.node.Line, e.node.Column, "it has the API's own fields: category of a sign-in, item_uuid of an item usage, object_type of an audit event",
					"the raw object shows no kind")
				return nil
			}
			if o["uuid"] == nil {
				o["uuid"] = fmt.Sprintf("EVENT%021d", p.count)
			} else if e.repeat > 1 {
				p.errorAt(e.node.Line, e.node.Column, "", "events that are repeated cannot all have the same uuid")
				return nil
			}
			if o["timestamp"] == nil {
				o["timestamp"] = at.Format(time.RFC3339Nano)
			} else if timed || e.repeat > 1 {
				p.errorAt(e.node.Line, e.node.Column, "", "say when by at or by timestamp, not both")
				return nil
			}
			ev, err := envelope(e.source, feed, o)
			if err != nil {
				p.errorAt(e.node.Line, e.node.Column, "", "%v", err)
				return nil
			}
			out = append(out, ev)
		}
	}
	return out
}

// numbered copies a value, and in every text of it {n} becomes the number of
// the repetition, so that repeated events can differ: item_uuid: "item-{n}".
func numbered(v any, n int) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "{n}", strconv.Itoa(n))
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, e := range v {
			out[key] = numbered(e, n)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = numbered(e, n)
		}
		return out
	}
	return v
}

// envelope wraps an API object as a poller does.
func envelope(source string, feed event.Feed, object map[string]any) (event.Event, error) {
	raw, err := json.Marshal(object)
	if err != nil {
		return event.Event{}, err
	}
	head, err := event.ReadHead(feed, raw)
	if err != nil {
		return event.Event{}, err
	}
	e := event.Event{
		ID: event.ID(source, feed, head.UUID), Type: event.TypeOnePassword, Kind: feed.Kind(),
		Source: source, Account: head.AccountUUID,
		Time: head.Timestamp, Received: head.Timestamp.Add(time.Minute), Raw: raw,
	}
	if _, err := e.Fields(); err != nil {
		return event.Event{}, err
	}
	return e, nil
}

// feedOf tells the feed of an API object by the fields that only it has.
func feedOf(object map[string]any) event.Feed {
	has := func(keys ...string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { _, ok := object[k]; return ok })
	}
	switch {
	case has("category", "target_user"):
		return event.FeedSigninAttempts
	case has("item_uuid", "vault_uuid"):
		return event.FeedItemUsages
	case has("object_type", "actor_uuid", "actor_details"):
		return event.FeedAuditEvents
	}
	return ""
}

// readOffset reads a time span such as 90s, 5m or 1h30m; 0s is one.
func (p *testParser) readOffset(n *yaml.Node, key string) time.Duration {
	if n.Kind == yaml.ScalarNode {
		if d, ok := parseOffset(n.Value); ok {
			return d
		}
	}
	p.errorAt(n.Line, n.Column, "", "%s must be a time such as 30s, 5m, 1h30m or 2d, not %s", key, describe(n))
	return 0
}

func parseOffset(s string) (time.Duration, bool) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	var sum time.Duration
	for rest := s; rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits == len(rest) || units[rest[digits]] == 0 {
			return 0, false
		}
		n, err := strconv.ParseUint(rest[:digits], 10, 31)
		if err != nil || n > uint64(10*MaxWithin/units[rest[digits]]) {
			return 0, false
		}
		sum += time.Duration(n) * units[rest[digits]]
		rest = rest[digits+1:]
	}
	return sum, s != "" && sum <= 10*MaxWithin
}

func merge(into, from map[string]any) {
	for k, v := range from {
		into[k] = v
	}
}
