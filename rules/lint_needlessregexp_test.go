package rules

import (
	"regexp"
	"testing"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"
)

func TestPlainTest(t *testing.T) {
	for pattern, want := range map[string]string{
		"^export$": `x == "export"`, "^(export|expire|e)$": `x in ["export", "expire", "e"]`, "^[ab]c?$": `x in ["ac", "a", "bc", "b"]`, "^$": `x == ""`,
		"^CLI": `x startsWith "CLI"`, `@example\.test$`: `x endsWith "@example.test"`, "CLI": `x contains "CLI"`,
		"^.*CLI": `x contains "CLI"`, ".*CLI.*": `x contains "CLI"`, "^CLI.*$": `x startsWith "CLI"`, "^.*CLI$": `x endsWith "CLI"`,
		"": "", "^": "", ".*": "", "^.*$": "", "a|b": "", "^a|b": "", "(?i)cli": "", "^[0-9]+$": "", "a.c": "", "^[a-z]$": "", `\bcli\b`: "", "(": "",
	} {
		got := plainTest("x", pattern)
		if want != got {
			t.Errorf("%q: %s, want %s", pattern, got, want)
		}
	}
}

// What is written instead says the same.
func TestPlainTestSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`\^?(a|b|\(a\|b\)|\(ab\|a\)|\.\*|\[ab\]|b\?|\.){0,3}\$?`).Draw(t, "pattern")
		instead := plainTest("x", pattern)
		if instead == "" {
			return
		}
		re := regexp.MustCompile(pattern)
		for range 10 {
			x := rapid.StringMatching(`[abc]{0,4}`).Draw(t, "x")
			got, err := expr.Eval(instead, map[string]any{"x": x})
			if err != nil {
				t.Fatal(err)
			}
			if got != re.MatchString(x) {
				t.Fatalf("%q matches %q: %v, but %s is %v", x, pattern, re.MatchString(x), instead, got)
			}
		}
	})
}
