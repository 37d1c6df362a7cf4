package main

import (
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"watchword/bus/event"
	"watchword/pollers"
	"watchword/pollers/onepassword"
)

// setting is one key of the configuration. The two tables below are the whole
// list of keys: the file, the environment, the flags, the messages and the
// reference in docs/configuration.md go by them.
type setting[T any] struct {
	key string
	def string // the default, as it would be written
	set func(into *T, value any) error
}

// settings are the keys outside sources.
var settings = []setting[Config]{
	{"store", ".watchword", func(c *Config, v any) error { return setText(&c.Store, v) }},
	{"listen", "", func(c *Config, v any) error { return setListen(&c.Listen, v) }},
	{"nats.url", "", func(c *Config, v any) error { return setText(&c.NATS.URL, v) }},
	{"nats.creds", "", func(c *Config, v any) error { return setText(&c.NATS.Creds, v) }},
	{"events.max_age", "180d", func(c *Config, v any) error { return setSpan(&c.Events.MaxAge, v, day, 10*365*day) }},
	{"events.max_bytes", "", func(c *Config, v any) error { return setBytes(&c.Events.MaxBytes, v) }},
	{"alerts.max_age", "400d", func(c *Config, v any) error { return setSpan(&c.Alerts.MaxAge, v, day, 10*365*day) }},
	{"alerts.max_bytes", "", func(c *Config, v any) error { return setBytes(&c.Alerts.MaxBytes, v) }},
	{"rules.builtin", "true", func(c *Config, v any) error { return setBool(&c.Rules.Builtin, v) }},
	{"rules.folders", "", func(c *Config, v any) error { return setList(&c.Rules.Folders, v) }},
	{"log.level", "warn", func(c *Config, v any) error {
		return setOneOf(&c.Log.Level, v, "debug", "info", "warn", "error")
	}},
	{"log.format", "text", func(c *Config, v any) error { return setOneOf(&c.Log.Format, v, "text", "json") }},
}

// flagNames are the keys that have a flag.
var flagNames = map[string]string{
	"store": "store", "listen": "listen", "nats.url": "nats", "nats.creds": "nats-creds",
	"log.level": "log-level", "log.format": "log-format",
}

// sourceSettings are the keys of one source.
var sourceSettings = []setting[Source]{
	{"name", "", func(s *Source, v any) error { return setName(&s.Name, v) }},
	{"region", "", func(s *Source, v any) error { return setOneOf(&s.Region, v, onepassword.Regions...) }},
	{"url", "", func(s *Source, v any) error { return setURL(&s.URL, v) }},
	{"enabled", "true", func(s *Source, v any) error { return setBool(&s.Enabled, v) }},
	{"token_file", "", func(s *Source, v any) error { return setText(&s.TokenFile, v) }},
	{"token_env", "", func(s *Source, v any) error { return setVariable(&s.TokenEnv, v) }},
	{"token_command", "", func(s *Source, v any) error { return setCommand(&s.TokenCommand, v) }},
	{"interval", "60s", func(s *Source, v any) error { return setSpan(&s.Interval, v, time.Second, day) }},
	{"start", "", func(s *Source, v any) error { return setStart(&s.Start, v) }},
	{"feeds", "signinattempts, itemusages, auditevents", func(s *Source, v any) error { return setFeeds(&s.Feeds, v) }},
}

// read sets the value; nothing given keeps the default. The error names the
// key, the value and what would be accepted.
func (s setting[T]) read(into *T, value any) error {
	if value == nil {
		value = s.def
	}
	if value == "" || value == nil {
		return nil
	}
	if err := s.set(into, value); err != nil {
		return fmt.Errorf("%s: %s: %w", s.key, quoted(value), err)
	}
	return nil
}

// quoted shows a value in a message, but not one that may be a secret in the
// wrong place: a token is a long string, and a URL may carry a password.
func quoted(v any) string {
	s := fmt.Sprint(v)
	if len(s) > 60 || strings.HasPrefix(s, "eyJ") || strings.HasPrefix(s, "ops_") || strings.Contains(s, "@") {
		return "(value not shown)"
	}
	return strconv.Quote(s)
}

func setText(into *string, v any) error {
	switch v := v.(type) {
	case string:
		*into = v
	case int, float64, bool:
		*into = fmt.Sprint(v)
	default:
		return fmt.Errorf("want one text")
	}
	return nil
}

func setOneOf(into *string, v any, choices ...string) error {
	s, ok := v.(string)
	if !ok || !slices.Contains(choices, s) {
		return fmt.Errorf("want one of %s%s", strings.Join(choices, ", "), didYouMean(s, choices))
	}
	*into = s
	return nil
}

func setBool(into *bool, v any) error {
	switch v {
	case true, "true", "yes", "on", "1":
		*into = true
	case false, "false", "no", "off", "0":
		*into = false
	default:
		return fmt.Errorf("want true or false")
	}
	return nil
}

func setSpan(into *time.Duration, v any, least, most time.Duration) error {
	s, _ := v.(string)
	d, err := parseSpan(s)
	if err != nil {
		return err
	}
	if d < least || d > most {
		return fmt.Errorf("want %s to %s", span(least), span(most))
	}
	*into = d
	return nil
}

func setBytes(into *uint64, v any) error {
	n, err := parseBytes(fmt.Sprint(v))
	if err == nil && n < 1<<20 {
		err = fmt.Errorf("want at least 1MiB")
	}
	if err != nil {
		return err
	}
	*into = n
	return nil
}

// setList takes a list, or one text with commas as the environment gives it.
func setList(into *[]string, v any) error {
	var list []string
	switch v := v.(type) {
	case string:
		list = strings.Split(v, ",")
	case []any:
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return fmt.Errorf("want a list of texts")
			}
			list = append(list, s)
		}
	default:
		return fmt.Errorf("want a list of texts")
	}
	for i := range list {
		if list[i] = strings.TrimSpace(list[i]); list[i] == "" {
			return fmt.Errorf("want no empty entry in the list")
		}
	}
	*into = list
	return nil
}

func setListen(into *string, v any) error {
	s, _ := v.(string)
	_, port, err := net.SplitHostPort(s)
	if n, convErr := strconv.Atoi(port); err != nil || convErr != nil || n < 0 || n > 65535 {
		return fmt.Errorf("want host:port such as 127.0.0.1:4222")
	}
	*into = s
	return nil
}

var sourceName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

func setName(into *string, v any) error {
	s := fmt.Sprint(v)
	if !sourceName.MatchString(s) {
		return fmt.Errorf("want up to 64 of a-z, 0-9 and -")
	}
	*into = s
	return nil
}

func setURL(into *string, v any) error {
	s, _ := v.(string)
	if strings.Contains(s, "@") { // before anything that would quote it
		return fmt.Errorf("want https://host: no user name or password belongs in it")
	}
	u, err := onepassword.CheckURL(s)
	if err != nil {
		return err
	}
	*into = u
	return nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

func setVariable(into *string, v any) error {
	s, _ := v.(string)
	if !variableName.MatchString(s) || strings.HasPrefix(s, "eyJ") {
		return fmt.Errorf("want the name of an environment variable, not the token itself")
	}
	*into = s
	return nil
}

// setCommand takes a list of arguments, or one text cut at its blanks: no
// shell is involved.
func setCommand(into *[]string, v any) error {
	if s, ok := v.(string); ok {
		if *into = strings.Fields(s); len(*into) == 0 {
			return fmt.Errorf("want a command and its arguments")
		}
		return nil
	}
	return setList(into, v)
}

func setStart(into *pollers.Start, v any) error {
	if t, ok := v.(time.Time); ok { // YAML reads a bare date as a time
		*into = pollers.Start{At: t.UTC()}
		return nil
	}
	s, _ := v.(string)
	start, err := pollers.ParseStart(s)
	if err != nil || start == (pollers.Start{}) {
		return fmt.Errorf("want a span before the first contact (30d), a date (2026-05-04) or an RFC 3339 time")
	}
	*into = start
	return nil
}

func setFeeds(into *[]event.Feed, v any) error {
	var names []string
	if err := setList(&names, v); err != nil {
		return err
	}
	known := make([]string, len(event.Feeds))
	for i, f := range event.Feeds {
		known[i] = string(f)
	}
	var feeds []event.Feed
	for _, n := range names {
		if !slices.Contains(known, n) {
			return fmt.Errorf("want some of %s%s", strings.Join(known, ", "), didYouMean(n, known))
		}
		if slices.Contains(feeds, event.Feed(n)) {
			return fmt.Errorf("want each feed once")
		}
		feeds = append(feeds, event.Feed(n))
	}
	*into = feeds
	return nil
}

// level is the log level as slog knows it.
func (c *Config) level() slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return slog.LevelInfo // unreachable: the setting takes four names, all known to slog
	}
	return l
}
