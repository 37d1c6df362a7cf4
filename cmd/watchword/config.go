package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"

	"watchword/bus/event"
	"watchword/pollers"
	"watchword/pollers/onepassword"
)

// Config is everything that can be set. It never holds a token: a source says
// where its token is, and only the poller looks there.
//
// A value comes from the last of these that gives one: the default, the file
// watchword.yaml, the environment (WATCHWORD_…), a flag.
type Config struct {
	Store  string // directory of the embedded server
	Listen string // host:port for ordinary NATS clients; empty: nowhere
	NATS   struct {
		URL   string // external server; then nothing is embedded
		Creds string // its credentials file
	}
	Events, Alerts Retention
	Rules          struct {
		Builtin bool     // whether the built-in rules are loaded
		Folders []string // further folders of rule files
	}
	Log struct {
		Level  string // debug, info, warn, error
		Format string // text, json
	}
	Sources []Source

	// File is the configuration file that was read, empty for none.
	File string
	// from says for each key where its value was given.
	from map[string]string
}

// Retention bounds a stream. Age is the silent eviction, bytes are a wall.
type Retention struct {
	MaxAge   time.Duration
	MaxBytes uint64 // 0: as the disk allows, decided when the store is made
}

// Source is one 1Password account to watch.
type Source struct {
	Name    string
	Region  string // one of onepassword.Regions; empty: as the token says
	URL     string // instead of a region: another server that speaks the Events API
	Enabled bool

	// Exactly one says where the token is.
	TokenFile    string
	TokenEnv     string
	TokenCommand []string

	Interval time.Duration
	Start    pollers.Start
	Feeds    []event.Feed
}

// poller is the source as the pollers want it.
func (s Source) poller() pollers.Source {
	out := pollers.Source{
		Name: s.Name, URL: s.URL, Region: s.Region, Interval: s.Interval, Start: s.Start, Feeds: s.Feeds, Enabled: s.Enabled,
	}
	switch {
	case s.TokenFile != "":
		out.Token = onepassword.FromFile(s.TokenFile)
	case s.TokenEnv != "":
		out.Token = onepassword.FromEnv(s.TokenEnv)
	default:
		out.Token = onepassword.FromCommand(s.TokenCommand...)
	}
	return out
}

// defaultFile is read when it is there and no other is named.
const defaultFile = "watchword.yaml"

// maxConfigBytes bounds the file; a real one has a few kilobytes.
const maxConfigBytes = 1 << 20

// onlyTokenVariable is the one setting outside WATCHWORD_…: with it and no
// sources configured, its account is watched under the name onlySource.
const (
	onlyTokenVariable = "OP_EVENTS_TOKEN"
	onlySource        = "onepassword"
)

// otherVariables begin like settings and are none: the project's own test
// suites read them, also in the programs they start.
var otherVariables = []string{"WATCHWORD_LONG"}

// errConfig marks what the user must put right in the configuration.
var errConfig = errors.New("configuration")

// loadConfig reads the file named (or the default one where there is none
// named) and lays environment and flags over it. flags holds values by key.
func loadConfig(file string, environ []string, flags map[string]any) (*Config, error) {
	name := file
	if name == "" {
		name = defaultFile
	}
	info, err := os.Stat(name)
	switch {
	case file == "" && errors.Is(err, fs.ErrNotExist):
		return parseConfig("", nil, environ, flags)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	case info.Size() > maxConfigBytes:
		return nil, fmt.Errorf("%w: %s has %d bytes; at most %d are read", errConfig, name, info.Size(), maxConfigBytes)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	return parseConfig(name, data, environ, flags)
}

// parseConfig joins the layers. All errors are reported, one a line.
func parseConfig(name string, data []byte, environ []string, flags map[string]any) (*Config, error) {
	c := &Config{File: name, from: map[string]string{}}
	errs := configErrors{}
	ko := koanf.New(".")

	defaults := map[string]any{}
	for _, s := range settings {
		defaults[s.key] = s.def
	}
	errs.add("defaults", ko.Load(confmap.Provider(defaults, "."), nil))

	// The shape is checked on the nodes of the file, which know their lines;
	// koanf reads the same bytes only when nothing in them is unknown.
	sources := c.readShape(filepath.Base(name), data, &errs)
	if len(errs) > 0 {
		return nil, errs.err()
	}
	errs.add(name, ko.Load(rawbytes.Provider(data), yaml.Parser()))
	errs.add("environment", ko.Load(env.Provider(".", env.Opt{
		Prefix:        envPrefix,
		EnvironFunc:   func() []string { return environ },
		TransformFunc: func(k, v string) (string, any) { return c.readVariable(k, v, &errs) },
	}), nil))
	errs.add("flags", ko.Load(confmap.Provider(flags, "."), nil))
	for key := range flags {
		c.from[key] = "--" + flagNames[key]
	}

	for _, s := range settings {
		errs.add(c.where(s.key), s.read(c, ko.Get(s.key)))
	}
	for _, node := range sources {
		c.Sources = append(c.Sources, readSource(filepath.Base(name), node, &errs))
	}
	c.addOnlySource(environ)
	c.validate(&errs)
	if len(errs) > 0 {
		return nil, errs.err()
	}
	return c, nil
}

const envPrefix = "WATCHWORD_"

// variable is the environment variable that sets a key.
func variable(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// readVariable finds the key that an environment variable sets.
func (c *Config) readVariable(name, value string, errs *configErrors) (string, any) {
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = variable(s.key)
		if names[i] == name {
			c.from[s.key] = name
			return s.key, value
		}
	}
	if !slices.Contains(otherVariables, name) {
		errs.add("environment", fmt.Errorf("unknown variable %s%s", plain(name), didYouMean(name, names)))
	}
	return "", nil
}

// addOnlySource makes a source of OP_EVENTS_TOKEN when the file names none.
func (c *Config) addOnlySource(environ []string) {
	if len(c.Sources) > 0 {
		return
	}
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, onlyTokenVariable+"="); ok && value != "" {
			s := newSource()
			s.Name, s.TokenEnv = onlySource, onlyTokenVariable
			c.Sources = []Source{s}
		}
	}
}

// validate checks what no single value shows.
func (c *Config) validate(errs *configErrors) {
	if c.NATS.URL != "" && c.Listen != "" {
		errs.add(c.where("listen"), fmt.Errorf("listen: nothing is embedded when nats.url is set, so nothing can listen; remove one of the two"))
	}
	if c.NATS.URL == "" && c.NATS.Creds != "" {
		errs.add(c.where("nats.creds"), fmt.Errorf("nats.creds: only of use with nats.url"))
	}
	if c.NATS.URL == "" && c.Store == "" {
		errs.add(c.where("store"), fmt.Errorf("store: want a directory, or nats.url for an external server"))
	}
	names := map[string]bool{}
	for _, s := range c.Sources {
		if len(*errs) == 0 {
			errs.add(c.where("sources"), s.poller().Validate())
		}
		if s.Name != "" && names[s.Name] {
			errs.add(c.File, fmt.Errorf("sources: two are named %q; a name stands in what is stored, so it must be one source's own", plain(s.Name)))
		}
		names[s.Name] = true
	}
}

// where says where a key's value was given, for messages.
func (c *Config) where(key string) string {
	if w := c.from[key]; w != "" {
		return w
	}
	return "default"
}
