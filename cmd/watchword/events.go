package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"watchword/bus"
	"watchword/bus/event"
)

// eventsCmd is the verb events.
type eventsCmd struct {
	Search eventsSearchCmd `cmd:"" help:"Print the stored events that match, oldest first."`
}

type eventsSearchCmd struct {
	User   string `placeholder:"WHO" help:"Who acted: a user uuid (fast), an e-mail address, or part of a name."`
	Kind   string `placeholder:"KIND" help:"signin, item or audit."`
	Source string `placeholder:"NAME" help:"Only this source."`
	Action string `placeholder:"ACTION" help:"What was done: a sign-in's category or type, an item's or audit event's action."`
	IP     string `name:"ip" placeholder:"ADDRESS" help:"From this address or range (203.0.113.0/24)."`
	Since  string `placeholder:"WHEN" help:"Happened since: 24h, 7d, 2026-05-04."`
	Until  string `placeholder:"WHEN" help:"Happened before."`
	Limit  int    `default:"100" help:"At most so many, the newest; 0 for all."`
}

// userUUID is the form of a person's uuid in the API: 26 letters and digits.
var userUUID = regexp.MustCompile(`^[A-Za-z0-9]{26}$`)

func (c *eventsSearchCmd) Run(p *program) error {
	match, o, err := c.compile(p.now())
	if err != nil {
		return wrongUse{err}
	}
	b, _, err := p.openToRead()
	if err != nil {
		return err
	}
	defer b.Close()
	found, unreadable, dropped := newestEvents{limit: c.Limit}, 0, 0
	err = readStored(p.ctx, b, bus.Events, o, func(m bus.Stored) (bool, error) {
		e, err := event.Decode(m.Data)
		if err != nil {
			unreadable++
			return true, nil
		}
		f, err := e.Fields()
		if err != nil {
			unreadable++
			return true, nil
		}
		if match(&f) {
			found.add(storedEvent{Seq: m.Seq, Event: e})
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	list := found.sorted()
	dropped = found.seen - len(list)
	for i := range list {
		if p.JSON {
			err = printJSON(p.out, list[i])
		} else {
			err = p.printEvent(&list[i].Event)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case dropped > 0:
		fmt.Fprintf(p.err, "%s older events left out; --limit 0 shows all\n", number(dropped))
	case len(list) == 0:
		fmt.Fprintln(p.err, "no events match")
	}
	if unreadable > 0 {
		fmt.Fprintf(p.err, "%s stored events could not be read\n", number(unreadable))
		return errFound
	}
	return nil
}

// compile turns the flags into what is asked of the stream, by its subject
// index, and what is asked of each event.
func (c *eventsSearchCmd) compile(now time.Time) (func(*event.Fields) bool, bus.ReadOptions, error) {
	var o bus.ReadOptions
	kind := event.Kind(c.Kind)
	if kind != "" && event.FeedOf(kind) == "" {
		return nil, o, fmt.Errorf("--kind: %q: want signin, item or audit", c.Kind)
	}
	entity := ""
	if userUUID.MatchString(c.User) {
		entity = c.User
	}
	o.Filters = []string{bus.EventFilter("", kind, c.Source, entity)}

	var since, until time.Time
	for _, m := range []struct {
		flag, text string
		into       *time.Time
	}{{"--since", c.Since, &since}, {"--until", c.Until, &until}} {
		if m.text == "" {
			continue
		}
		t, err := parseSince(m.text, now)
		if err != nil {
			return nil, o, fmt.Errorf("%s: %w", m.flag, err)
		}
		*m.into = t
	}
	if !since.IsZero() {
		// What happened since then was stored since then; the hour is for
		// clocks that disagree.
		o.StartTime = since.Add(-time.Hour)
	}
	inRange, err := addressMatch(c.IP)
	if err != nil {
		return nil, o, err
	}
	who, action := strings.ToLower(c.User), strings.ToLower(c.Action)
	return func(f *event.Fields) bool {
		switch {
		case f.Time.Before(since), !until.IsZero() && !f.Time.Before(until),
			c.User != "" && entity == "" && !isUser(f, who),
			action != "" && !slices.Contains([]string{f.Signin.Category, f.Signin.Type, f.Item.Action, f.Audit.Action}, action),
			!inRange(f.Client.IP):
			return false
		}
		return true
	}, o, nil
}

// isUser: the whole address of mail, or part of the name; who is in lower case.
func isUser(f *event.Fields, who string) bool {
	if strings.Contains(who, "@") {
		return strings.ToLower(f.User.Email) == who
	}
	return strings.Contains(strings.ToLower(f.User.Name), who) || strings.ToLower(f.User.UUID) == who
}

func addressMatch(text string) (func(ip string) bool, error) {
	if text == "" {
		return func(string) bool { return true }, nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, addrErr := netip.ParseAddr(text)
		if addrErr != nil {
			return nil, fmt.Errorf("--ip: %q: want an address or a range such as 203.0.113.0/24", text)
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	return func(ip string) bool {
		a, err := netip.ParseAddr(ip)
		return err == nil && prefix.Contains(a.Unmap())
	}, nil
}

// newestEvents keeps the limit newest events by time; all of them when it is 0.
type newestEvents struct {
	limit, seen int
	list        []storedEvent
}

func (n *newestEvents) add(e storedEvent) {
	n.seen++
	n.list = append(n.list, e)
	if n.limit > 0 && len(n.list) >= 2*n.limit+1000 {
		n.list = n.sorted()
	}
}

func (n *newestEvents) sorted() []storedEvent {
	slices.SortFunc(n.list, func(a, b storedEvent) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	if n.limit > 0 && len(n.list) > n.limit {
		return slices.Clone(n.list[len(n.list)-n.limit:])
	}
	return n.list
}
