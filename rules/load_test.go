package rules

import (
	"testing"

	"watchword/rules/builtin"
)

// The rules that come with the program load without a word of complaint.
func TestBuiltinRulesLoad(t *testing.T) {
	set, problems := Load(Folder{Name: "builtin", FS: builtin.FS})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got := len(set.Rules()); got != 14 {
		t.Errorf("%d rules, want 14", got)
	}
}
