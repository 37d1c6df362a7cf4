package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"watchword/rules"
)

// ruleChoice is which rules the arguments of a verb name.
type ruleChoice struct {
	folders []rules.Folder
	ids     []string // of single rules; none: every rule of the folders
}

// builtinFolder is what the folder of the built-in rules is called.
const builtinFolder = "builtin"

// ruleWord is how a rule is named on a command line, as against a path.
var ruleWord = regexp.MustCompile(`^[a-z0-9-]+$`)

// chooseRules reads arguments that name rules: a folder stands for all its
// rules, a rule file or its test for that rule, and any other word is the id of
// a rule in the folders given, or else in those of the configuration.
func (p *program) chooseRules(args, folders []string) (ruleChoice, error) {
	var c ruleChoice
	var whole bool // a folder was named for all its rules
	dirs := slices.Clone(folders)
	add := func(dir string) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		id, isFile := ruleOfFile(arg)
		switch {
		case err == nil && info.IsDir():
			whole = true
			add(arg)
		case err == nil && isFile:
			c.ids = append(c.ids, id)
			add(filepath.Dir(arg))
		case ruleWord.MatchString(arg):
			c.ids = append(c.ids, arg)
		default:
			return c, wrongUse{fmt.Errorf("%q is no folder of rules, no rule file that is there and no id of a rule", arg)}
		}
	}
	if whole && len(c.ids) > 0 {
		return c, wrongUse{fmt.Errorf("name folders or rules, not both: %s", strings.Join(args, " "))}
	}
	var err error
	c.folders, err = p.ruleFolders(dirs)
	return c, err
}

// ruleOfFile is the id of the rule whose file, or whose test, the path names.
func ruleOfFile(file string) (id string, ok bool) {
	name := filepath.Base(file)
	for _, suffix := range []string{".expr", rules.TestSuffix} {
		if id, ok := strings.CutSuffix(name, suffix); ok {
			return id, true
		}
	}
	return "", false
}

// of is the part of a set that was chosen.
func (c *ruleChoice) of(set *rules.Set) (*rules.Set, error) {
	if len(c.ids) == 0 {
		return set, nil
	}
	for _, id := range c.ids {
		if set.Rule(id) == nil {
			var known []string
			for _, r := range set.Rules() {
				known = append(known, r.ID)
			}
			return nil, wrongUse{fmt.Errorf("no rule %q%s", id, didYouMean(id, known))}
		}
	}
	return set.Only(func(r *rules.Rule) bool { return slices.Contains(c.ids, r.ID) }), nil
}

// folderOf is the folder that a rule was loaded from.
func (c *ruleChoice) folderOf(r *rules.Rule) rules.Folder {
	i := slices.IndexFunc(c.folders, func(f rules.Folder) bool { return path.Join(f.Name, r.ID+".expr") == r.File })
	return c.folders[i]
}
