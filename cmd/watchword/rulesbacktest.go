package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"watchword/bus/alert"
	"watchword/bus/event"
	"watchword/detectors"
	"watchword/rules"
)

type rulesBacktestCmd struct {
	Rules   []string `arg:"" optional:"" name:"rule" help:"Ids of rules, or rule files; default: all."`
	Folders []string `name:"rules" sep:"none" placeholder:"FOLDER" help:"Folders of rules to evaluate, instead of what the configuration loads."`
	Files   []string `name:"file" short:"f" sep:"none" placeholder:"FILE" help:"A file of events (NDJSON) instead of the store; - for standard input."`
	Source  string   `placeholder:"NAME" help:"Only events of this source."`
	Since   string   `placeholder:"WHEN" help:"What happened since: 24h, 30d, 2026-05-04."`
	Until   string   `placeholder:"WHEN" help:"What happened before."`
	Against string   `placeholder:"FOLDER" help:"Compare with the rules of this folder: alerts gained, lost and changed."`
	Limit   int      `default:"100" help:"Show at most so many alerts of a rule, the newest; 0 for all. With --json all are printed."`
	Stats   bool     `help:"Say how fast it went."`
}

// fileSource is the source of a file's events that do not say theirs.
const fileSource = "file"

// backtestGC is how far, in percent, the memory may grow before garbage is
// collected. What is held only grows, and most of what is read is garbage: half
// as much collecting saves a fifth of the time, for half as much memory again.
const backtestGC = 200

func (c *rulesBacktestCmd) Run(p *program) error {
	since, until, err := c.period(p.now())
	if err != nil {
		return wrongUse{err}
	}
	set, old, err := c.load(p)
	if err != nil {
		return err
	}
	test := detectors.Backtest{
		Sets: []*rules.Set{set}, Source: fileSource, Stored: len(c.Files) == 0, Since: since,
		Keep: func(f *event.Fields) bool {
			return (c.Source == "" || f.Source == c.Source) && (until.IsZero() || f.Time.Before(until))
		},
	}
	if old != nil {
		test.Sets = append(test.Sets, old)
	}
	input, err := c.open(p, test.From())
	if err != nil {
		return err
	}
	defer input.close()

	bar := newProgress(p.err, input)
	test.Unused = func(file int, number uint64, reason error) {
		bar.line(fmt.Sprintf("%s:%d: %s", plain(input.names[file]), number, plain(reason.Error())))
	}
	if !slices.ContainsFunc(p.environ, func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		defer debug.SetGCPercent(debug.SetGCPercent(backtestGC))
	}
	begin := time.Now()
	bar.start()
	history, err := test.Run(p.ctx, input.read)
	bar.stop()
	if errors.Is(err, context.Canceled) {
		return errors.New("backtest: interrupted; nothing was evaluated to its end")
	}
	if err != nil {
		return err
	}
	took := timing{read: time.Since(begin), bytes: input.bytes.Load()}

	found := backtestFound{history: history, set: set, old: old}
	if err := c.report(p, &found); err != nil {
		return err
	}
	took.all = time.Since(begin)
	found.warn(p.err)
	if c.Stats {
		took.print(p.err, &history.HistoryStats, found.count)
	}
	if history.Unreadable+history.SetAside > 0 {
		return errFound
	}
	return nil
}

// report prints what was found on standard output.
func (c *rulesBacktestCmd) report(p *program, found *backtestFound) error {
	out := bufio.NewWriter(p.out)
	switch {
	case p.JSON && found.old != nil:
		if err := found.printChanges(out); err != nil {
			return err
		}
	case p.JSON:
		if err := found.printAlerts(out); err != nil {
			return err
		}
	default:
		text := backtestText{Writer: out, found: found, now: p.now(), colour: paint(p.colour), limit: c.Limit}
		if found.old != nil {
			text.comparison(c.Against)
		} else {
			text.report()
		}
	}
	return out.Flush()
}

func (c *rulesBacktestCmd) period(now time.Time) (since, until time.Time, err error) {
	if c.Since != "" {
		if since, err = parseSince(c.Since, now); err != nil {
			return since, until, fmt.Errorf("--since: %w", err)
		}
	}
	if c.Until != "" {
		if until, err = parseSince(c.Until, now); err != nil {
			return since, until, fmt.Errorf("--until: %w", err)
		}
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return since, until, fmt.Errorf("--since: %s is not before --until %s", c.Since, c.Until)
	}
	return since, until, nil
}

// load reads the rules to evaluate, and those to compare with, nil if there
// are none. A rule that cannot be read is wrong use: nothing was evaluated.
func (c *rulesBacktestCmd) load(p *program) (set, old *rules.Set, err error) {
	choice, err := p.chooseRules(c.Rules, c.Folders)
	if err != nil {
		return nil, nil, err
	}
	if set, err = loadChosen(&choice); err != nil {
		return nil, nil, err
	}
	if c.Against == "" {
		return set, nil, nil
	}
	against, err := folders(false, []string{c.Against})
	if err != nil {
		return nil, nil, err
	}
	if old, err = loadChosen(&ruleChoice{folders: against}); err != nil {
		return nil, nil, err
	}
	if len(choice.ids) > 0 {
		old = old.Only(func(r *rules.Rule) bool { return slices.Contains(choice.ids, r.ID) })
	} else {
		// Who has not named the built-in rules does not compare them with nothing.
		set = set.Only(func(r *rules.Rule) bool {
			return old.Rule(r.ID) != nil || choice.folderOf(r).Name != builtinFolder
		})
	}
	return set, old, nil
}

// loadChosen loads rules for tools that evaluate them: those that are named
// even if they are disabled.
func loadChosen(choice *ruleChoice) (*rules.Set, error) {
	all, problems := rules.Load(choice.folders...)
	if problems.HasErrors() {
		return nil, wrongUse{fmt.Errorf("the rules cannot be used:\n%s", plainText(problems.Error()))}
	}
	set, err := choice.of(all)
	if err != nil {
		return nil, err
	}
	if len(choice.ids) > 0 {
		set = set.Enabled()
	}
	return set, nil
}

// backtestFound is what a backtest found, for the reporters.
type backtestFound struct {
	history  *detectors.History
	set, old *rules.Set
	count    int // alerts printed, or compared
}

// printAlerts prints every alert as a line of JSON.
func (b *backtestFound) printAlerts(w *bufio.Writer) error {
	for _, rule := range b.set.Rules() {
		alerts := b.history.Alerts(rule)
		b.count += len(alerts)
		if err := printJSON(w, foundAlerts(alerts)...); err != nil {
			return err
		}
	}
	return nil
}

// printChanges prints every alert that the old rules do not give, or give otherwise.
func (b *backtestFound) printChanges(w *bufio.Writer) error {
	for _, id := range b.ids() {
		c := b.compare(id)
		print := func(change string, alerts ...alert.Alert) error {
			lines := foundAlerts(alerts)
			for i := range lines {
				lines[i].Change = change
			}
			return printJSON(w, lines...)
		}
		err := errors.Join(print("gained", c.Gained...), print("lost", c.Lost...))
		for _, changed := range c.Changed {
			err = errors.Join(err, print("changed", changed.New))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ids are those of the rules of both sets.
func (b *backtestFound) ids() []string {
	var ids []string
	for _, r := range append(b.set.Rules(), b.old.Rules()...) {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (b *backtestFound) compare(id string) detectors.Comparison {
	var before, after []alert.Alert
	if r := b.old.Rule(id); r != nil {
		before = b.history.Alerts(r)
	}
	if r := b.set.Rule(id); r != nil {
		after = b.history.Alerts(r)
	}
	b.count += len(after)
	return detectors.Compare(before, after)
}

// warn tells what was wrong with the input and with rules.
func (b *backtestFound) warn(w io.Writer) {
	h := b.history
	if h.Unreadable > 0 {
		fmt.Fprintf(w, "%s of %s could not be read\n", number(h.Unreadable), plural(int(h.Records), "record"))
	}
	if h.SetAside > 0 {
		fmt.Fprintf(w, "%s with a known id and other content set aside\n", plural(int(h.SetAside), "record"))
	}
	for _, s := range h.Matched(b.set) {
		if s.Failed > 0 {
			fmt.Fprintf(w, "rule %s could not evaluate %s: %s\n", s.Rule, plural(int(s.Failed), "event"), plain(s.LastError))
		}
	}
}

// timing is how long a backtest took.
type timing struct {
	read  time.Duration // to read, decode and match
	all   time.Duration // with folding and printing
	bytes uint64
}

func (t *timing) print(w io.Writer, s *detectors.HistoryStats, alerts int) {
	rate := func(n uint64, d time.Duration) string { return number(uint64(float64(n) / max(d.Seconds(), 1e-9))) }
	fmt.Fprintf(w, "%s, %s, read and matched in %.2f s: %s events/s, %s/s\n",
		plural(int(s.Records), "record"), plural(int(s.Events), "event"), t.read.Seconds(),
		rate(s.Records, t.read), size(uint64(float64(t.bytes)/max(t.read.Seconds(), 1e-9))))
	fmt.Fprintf(w, "%s folded into %s and printed in %.2f s; in all %.2f s: %s events/s\n",
		plural(int(s.Hits), "hit"), plural(alerts, "alert"), (t.all - t.read).Seconds(), t.all.Seconds(), rate(s.Records, t.all))
}
