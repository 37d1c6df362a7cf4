// Command watchword watches 1Password Business accounts: it brings their
// events into a stream, correlates them by rules and shows the alerts.
//
// main parses and exits. Each verb has its file; serve.go is the only wiring.
//
// Exit codes: 0 fine, 1 problems were found or the work failed, 2 wrong use
// (arguments or configuration). Results go to standard output, everything else
// to standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on the default holds again: a second one ends the
	// program at once.
	context.AfterFunc(ctx, stop)
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ(), now: time.Now, colour: colourWanted(os.Stdout, os.Environ())}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// Exit codes.
const (
	exitFine     = 0
	exitProblems = 1
	exitWrongUse = 2
)

// grammar is what can be typed.
type grammar struct {
	globals

	Run      runCmd      `cmd:"" help:"Watch the configured sources: poll, detect and print alerts."`
	Demo     demoCmd     `cmd:"" help:"The same against a simulated account, to see it work."`
	Alerts   alertsCmd   `cmd:"" help:"List, show and follow alerts."`
	Events   eventsCmd   `cmd:"" help:"Search the stored events."`
	Sources  sourcesCmd  `cmd:"" help:"List the sources, show where they stand, check their tokens."`
	Rules    rulesCmd    `cmd:"" help:"Check and list rules."`
	Simulate simulateCmd `cmd:"" help:"Serve a faithful Events API with simulated people and attacks."`
	Config   configCmd   `cmd:"" help:"Print what is set, and where."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// globals are the flags every verb takes. Those that set a key of the
// configuration are named in flagNames.
type globals struct {
	ConfigFile string `name:"config" short:"c" placeholder:"FILE" help:"Configuration file (default: watchword.yaml, if there)."`
	Store      string `placeholder:"DIR" help:"Directory of the embedded store."`
	NATS       string `name:"nats" placeholder:"URL" help:"External NATS server instead of the embedded one."`
	NATSCreds  string `name:"nats-creds" placeholder:"FILE" help:"Credentials file for the external server."`
	LogLevel   string `placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat  string `placeholder:"FORMAT" help:"text or json."`
	JSON       bool   `help:"One JSON object a line on standard output."`
}

// program is one invocation: what was typed, and the world it runs in.
type program struct {
	globals
	flags map[string]any // by configuration key

	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	environ  []string
	now      func() time.Time
	colour   bool
}

// errFound says that the verb worked and found problems, which it has printed.
var errFound = errors.New("problems found")

// wrongUse marks an error as one of the arguments.
type wrongUse struct{ error }

func (e wrongUse) Unwrap() error { return e.error }

// run does what the arguments say and returns the exit code.
func (p *program) run(ctx context.Context, args []string) int {
	p.ctx = ctx
	g := grammar{}
	left := -1 // exit code, once --help has been answered
	parser, err := kong.New(&g, kong.Name("watchword"),
		kong.Description("Watches 1Password Business accounts, correlates their events by rules and raises alerts."),
		kong.Writers(p.out, p.err), kong.Exit(func(code int) { left = code }),
		kong.Vars{"quirks": quirkNames(), "faults": strings.Join(faultNames(), ", "), "words": strings.Join(newWords(), ", ")}, kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintf(p.err, "watchword: %v\n", err)
		return exitProblems
	}
	parsed, err := parser.Parse(args)
	if left >= 0 {
		return left
	}
	if err != nil {
		fmt.Fprintf(p.err, "watchword: %v\nTry watchword --help.\n", err)
		return exitWrongUse
	}
	p.globals = g.globals
	p.flags = map[string]any{}
	for key, v := range map[string]string{
		"store": g.Store, "nats.url": g.NATS, "nats.creds": g.NATSCreds, "log.level": g.LogLevel, "log.format": g.LogFormat,
	} {
		if v != "" {
			p.flags[key] = v
		}
	}
	return p.exitCode(parsed.Run(p))
}

func (p *program) exitCode(err error) int {
	var wrong wrongUse
	switch {
	case err == nil || errors.Is(err, context.Canceled) && p.ctx.Err() != nil:
		return exitFine
	case errors.Is(err, errFound):
		return exitProblems
	}
	fmt.Fprintf(p.err, "watchword: %v\n", err)
	if errors.As(err, &wrong) || errors.Is(err, errConfig) {
		return exitWrongUse
	}
	return exitProblems
}

// config reads the configuration with this invocation's flags over it.
func (p *program) config() (*Config, error) {
	return loadConfig(p.ConfigFile, p.environ, p.flags)
}
