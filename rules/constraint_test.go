package rules

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"watchword/bus/event"
)

// A step that is called unreachable matches no event of any kind and values:
// all of those that its conditions can tell apart are tried.
func TestUnreachableNeverMatches(t *testing.T) {
	values := []string{"", "export", "fill", "share"}
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		text := drawCondition(t, 3)
		set, problems := Check(CheckConfig{}, Folder{FS: fstest.MapFS{"r.expr": rule(text)}})
		if set == nil {
			t.Skip(problems)
		}
		if len(saidBy("unreachable-step", problems)) == 0 {
			return
		}
		found++
		m := set.Matcher()
		for _, kind := range kinds {
			for _, action := range values {
				for _, user := range values {
					for _, service := range []bool{true, false} {
						f := event.Fields{Kind: kind, Source: "s", Item: event.Item{Action: action}, User: event.User{UUID: user, Service: service}}
						if len(told(m, f)) > 0 {
							t.Fatalf("%s\nmatches %+v, but\n%v", text, f, problems)
						}
					}
				}
			}
		}
	})
	if found == 0 {
		t.Error("no rule was unreachable: the test shows nothing")
	}
}

// drawCondition draws a condition on two texts, a boolean and the kind.
func drawCondition(t *rapid.T, depth int) string {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
		field := rapid.SampledFrom([]string{"item.action", "user.uuid"}).Draw(t, "field")
		value := rapid.SampledFrom([]string{"", "export", "fill"}).Draw(t, "value")
		return rapid.SampledFrom([]string{
			fmt.Sprintf("%s == %q", field, value), fmt.Sprintf("%q != %s", value, field), fmt.Sprintf("%s in [%q, \"share\"]", field, value),
			fmt.Sprintf("%s not in [%q, \"share\"]", field, value), fmt.Sprintf("%s startsWith %q", field, value), "user.service", `kind == "item"`, `kind != "item"`,
		}).Draw(t, "condition")
	}
	left, right := drawCondition(t, depth-1), drawCondition(t, depth-1)
	return rapid.SampledFrom([]string{
		fmt.Sprintf("(%s && %s)", left, right), fmt.Sprintf("(%s and %s)", left, right), fmt.Sprintf("(%s || %s)", left, right), fmt.Sprintf("!(%s)", left),
	}).Draw(t, "operator")
}

// Lets that name lets twice do not double what reading them costs.
func TestConstraintsAreBounded(t *testing.T) {
	var body strings.Builder
	body.WriteString(`let a0 = user.uuid == "x";`)
	for i := range 60 {
		fmt.Fprintf(&body, "let a%d = a%d || a%d;", i+1, i, i)
	}
	body.WriteString("!a60")
	start := time.Now()
	if set, problems := Check(CheckConfig{}, Folder{FS: fstest.MapFS{"r.expr": rule(body.String())}}); set == nil {
		t.Fatal(problems)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
