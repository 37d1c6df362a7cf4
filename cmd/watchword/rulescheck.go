package main

import (
	"fmt"
	"slices"
	"strings"

	"watchword/rules"
)

type rulesCheckCmd struct {
	Folders []string `arg:"" optional:"" help:"Folders of rule files; default: what the configuration loads."`
	Strict  bool     `help:"Exit with 1 for warnings, too."`
	All     bool     `help:"Show also what rules silence by disable."`
}

// Run checks the rules against the retention of the configuration. Its exit
// code is that of errors, and of warnings with --strict.
func (c *rulesCheckCmd) Run(p *program) error {
	folders, err := p.ruleFolders(c.Folders)
	if err != nil {
		return err
	}
	config, err := p.config()
	if err != nil {
		return err
	}
	set, problems := rules.Check(rules.CheckConfig{Retention: config.Events.MaxAge}, folders...)
	count := map[string]int{}
	for _, pr := range problems {
		count[kindOf(pr)]++
	}
	shown := problems
	if !c.All {
		shown = slices.DeleteFunc(slices.Clone(problems), func(pr rules.Problem) bool { return pr.Silenced })
	}
	if err := p.showProblems(shown); err != nil {
		return err
	}
	fmt.Fprintln(p.err, c.summary(set, count))
	if count["error"] > 0 || c.Strict && count["warning"] > 0 {
		return errFound
	}
	return nil
}

// kindOf is what a problem counts as.
func kindOf(pr rules.Problem) string {
	if pr.Silenced {
		return "silenced"
	}
	return string(pr.Severity)
}

// showProblems prints each problem, and below it the page about its check.
func (p *program) showProblems(problems rules.Problems) error {
	if p.JSON {
		return printJSON(p.out, problems...)
	}
	for _, pr := range problems {
		text := pr.String() + "\n    see " + pr.Doc
		if pr.Silenced {
			text += ", silenced by the rule"
		}
		fmt.Fprintln(p.out, plainText(text))
	}
	return nil
}

// summary is the last line, for people.
func (c *rulesCheckCmd) summary(set *rules.Set, count map[string]int) string {
	var parts []string
	if set != nil {
		parts = append(parts, number(len(set.Rules()))+" rules")
	}
	if count["error"]+count["warning"] == 0 {
		parts = append(parts, "all fine")
	}
	for _, kind := range []string{"error", "warning"} {
		if n := count[kind]; n == 1 {
			parts = append(parts, "1 "+kind)
		} else if n > 1 {
			parts = append(parts, number(n)+" "+kind+"s")
		}
	}
	if n := count["silenced"]; n > 0 && !c.All {
		parts = append(parts, number(n)+" silenced (--all shows them)")
	}
	return strings.Join(parts, ", ")
}
