package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"watchword/rules"
	"watchword/rules/builtin"
)

// rulesCmd is the verb rules.
type rulesCmd struct {
	Check    rulesCheckCmd    `cmd:"" help:"Check rule files; every error of every file is shown."`
	List     rulesListCmd     `cmd:"" help:"List the rules that would run."`
	Fmt      rulesFmtCmd      `cmd:"" help:"Give rule files their usual form."`
	Test     rulesTestCmd     `cmd:"" help:"Run the tests beside rules, in every order of events, doubled and over restarts."`
	Backtest rulesBacktestCmd `cmd:"" help:"Say what rules would have raised over a file of events, or over the store."`
	New      rulesNewCmd      `cmd:"" help:"Write a rule to begin with, and its tests."`
}

type rulesListCmd struct {
	Folders []string `arg:"" optional:"" help:"Folders of rule files; default: what the configuration loads."`
}

// listedRule is a rule as rules list tells it.
type listedRule struct {
	ID       string   `json:"id"`
	Severity string   `json:"severity"`
	Status   string   `json:"status"`
	Pattern  string   `json:"pattern"`
	Window   string   `json:"window"`
	Title    string   `json:"title"`
	Attack   []string `json:"attack,omitempty"`
	Version  string   `json:"version"`
	File     string   `json:"file"`
	Notes    []string `json:"notes,omitempty"` // such as lists that are empty
}

func (c *rulesListCmd) Run(p *program) error {
	folders, err := p.ruleFolders(c.Folders)
	if err != nil {
		return err
	}
	set, problems := rules.Load(folders...)
	if problems.HasErrors() {
		return problems
	}
	var list []listedRule
	for _, r := range set.Rules() {
		list = append(list, listedRule{
			ID: r.ID, Severity: string(r.Severity), Status: string(r.Status), Pattern: string(r.Pattern.Word),
			Window: span(r.Pattern.Within), Title: r.Title, Attack: r.Attack, Version: r.Version, File: r.File, Notes: r.Notes,
		})
	}
	if p.JSON {
		return printJSON(p.out, list...)
	}
	rows := [][]string{{"RULE", "SEVERITY", "STATUS", "PATTERN", "WINDOW", "TITLE"}}
	for _, r := range list {
		rows = append(rows, []string{r.ID, r.Severity, r.Status, r.Pattern, r.Window, r.Title})
	}
	columns(p.out, rows)
	for _, r := range list {
		for _, note := range r.Notes {
			fmt.Fprintf(p.out, "note: %s: %s\n", plain(r.ID), plain(note))
		}
	}
	return nil
}

// ruleFolders are the folders named, or else those of the configuration.
func (p *program) ruleFolders(named []string) ([]rules.Folder, error) {
	if len(named) > 0 {
		return folders(false, named)
	}
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	return folders(c.Rules.Builtin, c.Rules.Folders)
}

func folders(withBuiltin bool, names []string) ([]rules.Folder, error) {
	var list []rules.Folder
	if withBuiltin {
		list = append(list, rules.Folder{Name: "builtin", FS: builtin.FS})
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err == nil && !info.IsDir() {
			err = &fs.PathError{Op: "open", Path: name, Err: errors.New("not a directory")}
		}
		if err != nil {
			return nil, wrongUse{fmt.Errorf("rules folder: %w", err)}
		}
		list = append(list, rules.Folder{Name: name, FS: os.DirFS(name)})
	}
	return list, nil
}
