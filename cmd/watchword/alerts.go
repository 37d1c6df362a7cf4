package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"watchword/bus"
	"watchword/bus/alert"
)

// alertsCmd is the verb alerts.
type alertsCmd struct {
	List   alertsListCmd   `cmd:"" help:"List alerts, each in its newest revision."`
	Show   alertsShowCmd   `cmd:"" help:"Show one alert with its evidence."`
	Follow alertsFollowCmd `cmd:"" help:"Print alerts as they come."`
}

// alertFilter selects alerts.
type alertFilter struct {
	Rule     string `placeholder:"ID" help:"Only alerts of this rule."`
	Severity string `placeholder:"SEVERITY" help:"Only alerts this severe or more: info, low, medium, high, critical."`
	Status   string `placeholder:"STATUS" help:"Only alerts in this status: opened, updated, closed, merged, retracted; or open for the first two."`
	Source   string `placeholder:"NAME" help:"Only alerts of this source."`
	Since    string `placeholder:"WHEN" help:"Only alerts whose last event is newer: 24h, 7d, 2026-05-04."`

	since time.Time
}

// open stands for every status of an alert that still stands.
const open = "open"

// check reads the filter's values.
func (f *alertFilter) check(now time.Time) error {
	if f.Severity != "" && severityRank(alert.Severity(f.Severity)) < 0 {
		return wrongUse{fmt.Errorf("--severity: %q: want one of info, low, medium, high, critical", f.Severity)}
	}
	statuses := []string{open, string(alert.Opened), string(alert.Updated), string(alert.Closed), string(alert.Merged), string(alert.Retracted)}
	if f.Status != "" && !slices.Contains(statuses, f.Status) {
		return wrongUse{fmt.Errorf("--status: %q: want one of %s", f.Status, strings.Join(statuses, ", "))}
	}
	if f.Since != "" {
		var err error
		if f.since, err = parseSince(f.Since, now); err != nil {
			return wrongUse{fmt.Errorf("--since: %w", err)}
		}
	}
	return nil
}

func severityRank(s alert.Severity) int { return slices.Index(alert.Severities, s) }

func (f *alertFilter) match(a *alert.Alert) bool {
	switch {
	case f.Rule != "" && a.Rule != f.Rule,
		f.Severity != "" && severityRank(a.Severity) < severityRank(alert.Severity(f.Severity)),
		f.Status == open && !a.Status.Live(),
		f.Status != "" && f.Status != open && string(a.Status) != f.Status,
		f.Source != "" && a.Source != f.Source,
		a.Last.Before(f.since):
		return false
	}
	return true
}

// read are the options with which every revision of a matching alert is read.
// An alert is stored after its last event happened; the hour is for clocks
// that disagree.
func (f *alertFilter) read() bus.ReadOptions {
	o := bus.ReadOptions{Filters: []string{bus.AlertFilter("", "", f.Rule, "")}}
	if !f.since.IsZero() {
		o.StartTime = f.since.Add(-time.Hour)
	}
	return o
}

// newestAlerts reads alerts and keeps the newest revision of each that keep
// accepts, oldest first by last event. A revision that cannot be read is left
// out; unreadable counts them.
func newestAlerts(ctx context.Context, b *bus.Bus, o bus.ReadOptions, keep func(*alert.Alert) bool) (list []alert.Alert, unreadable int, err error) {
	newest := map[string]alert.Alert{}
	err = readStored(ctx, b, bus.Alerts, o, func(m bus.Stored) (bool, error) {
		a, err := alert.Decode(m.Data)
		if err != nil {
			unreadable++
			return true, nil
		}
		newest[a.ID] = a
		return true, nil
	})
	for _, a := range newest {
		if keep(&a) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b alert.Alert) int {
		if c := a.Last.Compare(b.Last); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list, unreadable, err
}

type alertsListCmd struct {
	alertFilter
	Limit int `default:"100" help:"At most so many, the newest; 0 for all."`
}

func (c *alertsListCmd) Run(p *program) error {
	if err := c.check(p.now()); err != nil {
		return err
	}
	b, _, err := p.openToRead()
	if err != nil {
		return err
	}
	defer b.Close()
	list, unreadable, err := newestAlerts(p.ctx, b, c.read(), c.match)
	if err != nil {
		return err
	}
	left := 0
	if c.Limit > 0 && len(list) > c.Limit {
		left = len(list) - c.Limit
		list = list[left:]
	}
	if p.JSON {
		err = printAlertsJSON(p, list)
	} else {
		p.listAlerts(list)
	}
	if left > 0 {
		fmt.Fprintf(p.err, "%s older alerts left out; --limit 0 shows all\n", number(left))
	}
	if unreadable > 0 {
		fmt.Fprintf(p.err, "%s stored revisions could not be read\n", number(unreadable))
		return errors.Join(err, errFound)
	}
	return err
}

func (p *program) listAlerts(list []alert.Alert) {
	if len(list) == 0 {
		fmt.Fprintln(p.err, "no alerts")
		return
	}
	rows := [][]string{{"LAST", "SEVERITY", "STATUS", "ALERT", "SOURCE", "EVENTS", "WHO", "TITLE"}}
	for _, a := range list {
		status := string(a.Status)
		if a.Historical {
			status += ", historical"
		}
		rows = append(rows, []string{clock(a.Last, p.now()), string(a.Severity), status, a.ID, a.Source, number(a.Count), who(&a), a.Title})
	}
	columns(p.out, rows)
}

// who is the shortest name for whom the alert is about.
func who(a *alert.Alert) string {
	if len(a.People) == 0 {
		return strings.Join(a.Key, ", ")
	}
	p := a.People[0]
	name := p.UUID
	for _, s := range []string{p.Name, p.Email} {
		if s != "" {
			name = s
		}
	}
	if len(a.People) > 1 {
		name += fmt.Sprintf(" and %d more", len(a.People)-1)
	}
	return name
}

// printAlertsJSON prints each alert as it is stored.
func printAlertsJSON(p *program, list []alert.Alert) error {
	for i := range list {
		data, err := list[i].Encode()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.out, "%s\n", data); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}
